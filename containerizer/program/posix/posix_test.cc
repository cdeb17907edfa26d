// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The real binary, as an agent runs it: a process per command, records on
// pipes.

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "external_containerizer/containerizer/program/posix/container_records.h"
#include "external_containerizer/containerizer/program/posix/posix_fixture.h"
#include "external_containerizer/containerizer/program/posix/process.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/record_io.h"
#include "external_containerizer/transport/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

TEST_F(PosixTest, ATaskRunsAndItsEndIsTold) {
  Launch(LaunchOf("c 1", "echo hello; echo oops >&2; exit 3"));
  const wire::Termination termination = Wait("c 1");
  EXPECT_EQ(wire::ExitOf(termination), Exited(3));
  EXPECT_TRUE(termination.has_killed());
  EXPECT_FALSE(termination.killed());
  EXPECT_EQ(termination.message(), "exited with code 3");
  EXPECT_EQ(termination.state(), wire::TASK_FAILED);
  EXPECT_EQ(ReadFile(sandbox_ + "/stdout"), "hello\n");
  EXPECT_EQ(ReadFile(sandbox_ + "/stderr"), "oops\n");
  EXPECT_THAT(List(), ElementsAre("c 1")) << "until it is destroyed";
  EXPECT_EQ(wire::ExitOf(Wait("c 1")), Exited(3)) << "as often as asked";
  Destroy("c 1");
  EXPECT_THAT(List(), IsEmpty());
  const Result gone = Start("wait", About<wire::Wait>("c 1")).Finish();
  EXPECT_EQ(WEXITSTATUS(gone.status), 1);
  EXPECT_EQ(gone.errors,
            "posix: wait: container \"c 1\": no such container "
            "(NOT_FOUND)\n");
}

TEST_F(PosixTest, ExitZeroIsFinished) {
  Launch(LaunchOf("c", "exit 0"));
  const wire::Termination termination = Wait("c");
  EXPECT_EQ(wire::ExitOf(termination), Exited(0));
  EXPECT_EQ(termination.state(), wire::TASK_FINISHED);
}

TEST_F(PosixTest, DeathBySignalIsTold) {
  Launch(LaunchOf("c", "kill -SEGV $$"));
  EXPECT_EQ(wire::ExitOf(Wait("c")), Signaled(SIGSEGV));
}

TEST_F(PosixTest, OutputIsAppendedToWhatIsThere) {
  Launch(LaunchOf("c1", "echo one"));
  Wait("c1");
  Launch(LaunchOf("c2", "echo two"));
  Wait("c2");
  EXPECT_EQ(ReadFile(sandbox_ + "/stdout"), "one\ntwo\n");
}

TEST_F(PosixTest, WithoutAShellArgumentsArriveAsTheyAre) {
  wire::Launch launch = LaunchOf("c", "/bin/sh");
  wire::CommandInfo* command =
      launch.mutable_executor_info()->mutable_command();
  command->set_shell(false);
  for (const char* argument :
       {"my name", "-c", "printf '%s|' \"$0\" \"$@\"", "a b", "$HOME", ""}) {
    command->add_arguments(argument);
  }
  Launch(launch);
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(0));
  EXPECT_EQ(ReadFile(sandbox_ + "/stdout"), "a b|$HOME||");
}

TEST_F(PosixTest, TheTasksCommandRunsIfTheExecutorHasNone) {
  wire::Launch launch = LaunchOf("c", "unused");
  launch.clear_executor_info();
  wire::TaskInfo* task = launch.mutable_task_info();
  task->set_name("t");
  task->mutable_task_id()->set_value("t");
  task->mutable_slave_id()->set_value("s");
  task->mutable_command()->set_value("exit 7");
  Launch(launch);
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(7));
}

TEST_F(PosixTest, TheEnvironmentIsTheLaunchsWithTheCommandsOverIt) {
  environment_["FROM_AGENT"] = "agent";
  environment_["BOTH"] = "agent";
  wire::Launch launch = LaunchOf("c", "env");
  for (const auto& variable : std::map<std::string, std::string>{
           {"BOTH", "command"}, {"MULTI", "a\nb=c"}}) {
    auto* added = launch.mutable_executor_info()
                      ->mutable_command()
                      ->mutable_environment()
                      ->add_variables();
    added->set_name(variable.first);
    added->set_value(variable.second);
  }
  Launch(launch);
  Wait("c");
  const std::vector<std::string> lines =
      absl::StrSplit(ReadFile(sandbox_ + "/stdout"), '\n');
  EXPECT_THAT(lines, AllOf(Contains("FROM_AGENT=agent"),
                           Contains("BOTH=command"), Contains("MULTI=a"),
                           Contains("b=c"), Not(Contains("BOTH=agent"))));
}

TEST_F(PosixTest, TheTaskIsInItsSandboxWithNothingElseOpen) {
  Launch(LaunchOf("c", "pwd; ls /proc/self/fd | tr '\\n' ' '; cat | wc -c"));
  Wait("c");
  // `ls` has the directory open.
  EXPECT_EQ(ReadFile(sandbox_ + "/stdout"), sandbox_ + "\n0 1 2 3 0\n");
}

TEST_F(PosixTest, TheTaskHasDefaultSignals) {
  Launch(LaunchOf("c", "exec cat /proc/self/status"));
  Wait("c");
  const std::vector<std::string> lines =
      absl::StrSplit(ReadFile(sandbox_ + "/stdout"), '\n');
  EXPECT_THAT(lines, AllOf(Contains("SigBlk:\t0000000000000000"),
                           Contains("SigIgn:\t0000000000000000"),
                           Contains("SigCgt:\t0000000000000000")));
}

TEST_F(PosixTest, ACommandThatIsNotThereFailsTheLaunch) {
  wire::Launch launch = LaunchOf("c", "no-such-command");
  launch.mutable_executor_info()->mutable_command()->set_shell(false);
  EXPECT_THAT(FailedLaunch(launch),
              AllOf(StartsWith("posix: launch: container \"c\": "),
                    HasSubstr("\"no-such-command\""), HasSubstr("PATH"),
                    HasSubstr("No such file or directory")));
  launch.mutable_executor_info()->mutable_command()->set_value("./script");
  EXPECT_THAT(FailedLaunch(launch), HasSubstr("No such file or directory"));
}

TEST_F(PosixTest, ACommandThatMayNotBeExecutedFailsTheLaunch) {
  std::ofstream(sandbox_ + "/script") << "#!/bin/sh\nexit 0\n";
  wire::Launch launch = LaunchOf("c", "./script");
  launch.mutable_executor_info()->mutable_command()->set_shell(false);
  EXPECT_THAT(FailedLaunch(launch),
              AllOf(HasSubstr("./script"), HasSubstr("Permission denied")));
  ASSERT_EQ(chmod((sandbox_ + "/script").c_str(), 0755), 0);
  Launch(launch);
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(0));
}

TEST_F(PosixTest, AFileOfAnotherFormatFailsTheLaunch) {
  std::ofstream(sandbox_ + "/garbage") << "\x01\x02\x03";
  ASSERT_EQ(chmod((sandbox_ + "/garbage").c_str(), 0755), 0);
  wire::Launch launch = LaunchOf("c", "./garbage");
  launch.mutable_executor_info()->mutable_command()->set_shell(false);
  EXPECT_THAT(FailedLaunch(launch), HasSubstr("Exec format error"));
}

TEST_F(PosixTest, ASandboxThatCannotBeUsedFailsTheLaunchAndIsNamed) {
  wire::Launch launch = LaunchOf("c", "true");
  launch.set_directory(base_ + "/none");
  EXPECT_THAT(FailedLaunch(launch), HasSubstr(base_ + "/none"));
  launch.set_directory("/proc");  // nobody can make a file there
  EXPECT_THAT(FailedLaunch(launch), HasSubstr("/proc/stdout"));
}

TEST_F(PosixTest, ALinkInTheSandboxIsNotWrittenThrough) {
  const std::string victim = base_ + "/victim";
  std::ofstream(victim) << "precious";
  ASSERT_EQ(symlink(victim.c_str(), (sandbox_ + "/stderr").c_str()), 0);
  EXPECT_THAT(FailedLaunch(LaunchOf("c", "echo x >&2")),
              HasSubstr(sandbox_ + "/stderr"));
  ASSERT_EQ(unlink((sandbox_ + "/stderr").c_str()), 0);
  ASSERT_EQ(link(victim.c_str(), (sandbox_ + "/stderr").c_str()), 0);
  EXPECT_THAT(FailedLaunch(LaunchOf("c", "echo x >&2")),
              HasSubstr("hard link"));
  EXPECT_EQ(ReadFile(victim), "precious");
}

TEST_F(PosixTest, AnotherUserIsRefused) {
  wire::Launch launch = LaunchOf("c", "true");
  launch.set_user("no-such-user");
  EXPECT_THAT(FailedLaunch(launch), AllOf(HasSubstr("no-such-user"),
                                          HasSubstr("FAILED_PRECONDITION")));
}

TEST_F(PosixTest, ANulInTheCommandIsRefused) {
  EXPECT_THAT(FailedLaunch(LaunchOf("c", std::string("a\0b", 3))),
              HasSubstr("INVALID_ARGUMENT"));
}

TEST_F(PosixTest, LaunchingTwiceIsRefusedAndTheFirstRunsOn) {
  const UniqueFd go = Fifo("go");
  Launch(LaunchOf("c", "read line < go; exit 4"));
  const Result again = Start("launch", LaunchOf("c", "exit 5")).Finish();
  EXPECT_EQ(WEXITSTATUS(again.status), 1);
  EXPECT_THAT(again.errors, HasSubstr("ALREADY_EXISTS"));
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(4));
}

TEST_F(PosixTest, OfManyLaunchesOfOneContainerOneSucceeds) {
  std::vector<Command> launches;
  for (int i = 0; i < 8; ++i) {
    launches.push_back(Start("launch", LaunchOf("c", "echo ran; exit 4")));
  }
  int succeeded = 0;
  for (Command& launch : launches) {
    const Result result = launch.Finish();
    if (result.status == 0) {
      ++succeeded;
    } else {
      EXPECT_THAT(result.errors, HasSubstr("ALREADY_EXISTS"));
    }
  }
  EXPECT_EQ(succeeded, 1);
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(4));
  EXPECT_EQ(ReadFile(sandbox_ + "/stdout"), "ran\n");
}

TEST_F(PosixTest, DestroyDuringLaunchLeavesAllOrNothing) {
  for (int i = 0; i < 20; ++i) {
    Command launch = Start("launch", LaunchOf("c", "exec sleep 1000"));
    Command destroy = Start("destroy", About<wire::Destroy>("c"));
    const Result destroyed = destroy.Finish();
    EXPECT_EQ(destroyed.status, 0) << destroyed.errors;
    const Result launched = launch.Finish();
    const std::vector<std::string> ids = List();
    if (launched.status != 0) {
      EXPECT_THAT(launched.errors, HasSubstr("ABORTED"));
      EXPECT_THAT(ids, IsEmpty());
    }
    // It was launched, and then destroyed or not.
    for (const std::string& id : ids) {
      EXPECT_TRUE(Records(id).launch.has_value());
      Destroy(id);
    }
  }
}

TEST_F(PosixTest, TheSupervisorHasNothingOfTheLaunch) {
  environment_["SECRET_OF_AGENT"] = "s3cret-a";
  const UniqueFd ready = Fifo("ready");
  wire::Launch launch = LaunchOf("c", "echo $$ > ready; exec sleep 1000");
  auto* variable = launch.mutable_executor_info()
                       ->mutable_command()
                       ->mutable_environment()
                       ->add_variables();
  variable->set_name("SECRET_OF_TASK");
  variable->set_value("s3cret-b");
  // That this returns shows that nobody holds a pipe of the launch.
  Launch(launch);
  const pid_t task = atoi(ReadLine(ready).c_str());
  const LaunchRecord record = Records("c").launch.value();
  EXPECT_EQ(record.task.pid, task);
  EXPECT_TRUE(ReadProcessStat(task)->id == record.task);
  const std::string proc = absl::StrCat("/proc/", record.supervisor.pid);
  EXPECT_EQ(ReadFile(proc + "/environ"), "");
  EXPECT_THAT(ReadFile(proc + "/cmdline"), Not(HasSubstr("s3cret")));
  EXPECT_EQ(getsid(record.supervisor.pid), record.supervisor.pid);
  EXPECT_EQ(getsid(task), task);
  std::map<int, std::string> open_files;
  DIR* dir = opendir((proc + "/fd").c_str());
  ASSERT_NE(dir, nullptr);
  while (const dirent* entry = readdir(dir)) {
    char target[512] = "";
    const std::string link = proc + "/fd/" + entry->d_name;
    if (readlink(link.c_str(), target, sizeof(target) - 1) > 0) {
      open_files[atoi(entry->d_name)] = target;
    }
  }
  closedir(dir);
  EXPECT_THAT(
      open_files,
      ElementsAre(std::make_pair(0, "/dev/null"),
                  std::make_pair(1, "/dev/null"),
                  std::make_pair(2, "/dev/null"),
                  std::make_pair(3, work_ + "/program/posix/containers/c")));
  char directory[64] = "";
  ASSERT_GT(readlink((proc + "/cwd").c_str(), directory, 63), 0);
  EXPECT_STREQ(directory, "/");
}

TEST_F(PosixTest, TwoWaitsAtOnceBothGetTheEnd) {
  const UniqueFd go = Fifo("go");
  Launch(LaunchOf("c", "read line < go; exit 6"));
  const auto first = StartWait("c");
  const auto second = StartWait("c");
  EXPECT_FALSE(first->HasOutput());
  EXPECT_FALSE(second->HasOutput());
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  EXPECT_EQ(wire::ExitOf(Parse(first->Finish())), Exited(6));
  EXPECT_EQ(wire::ExitOf(Parse(second->Finish())), Exited(6));
}

TEST_F(PosixTest, AWaitDuringDestroyGetsTheTrueEnd) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c",
                  "trap 'exit 9' TERM; echo > ready; "
                  "while :; do sleep 0.01; done"));
  ReadLine(ready);
  const auto wait = StartWait("c");
  // Stopped, it reads the end only long after destroy has removed all.
  ASSERT_EQ(kill(wait->pid(), SIGSTOP), 0);
  Destroy("c");
  EXPECT_THAT(List(), IsEmpty());
  ASSERT_EQ(kill(wait->pid(), SIGCONT), 0);
  const wire::Termination termination = Parse(wait->Finish());
  EXPECT_EQ(wire::ExitOf(termination), Exited(9));
  EXPECT_EQ(termination.state(), wire::TASK_KILLED);
  EXPECT_EQ(termination.message(), "destroyed: exited with code 9");
}

TEST_F(PosixTest, DestroyDoesNotWaitOutTheGrace) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c", "echo > ready; exec sleep 1000"));
  ReadLine(ready);
  const auto wait = StartWait("c");
  // An hour of grace: if it were waited out, nobody would wait for the test.
  const Result result =
      Command({"--grace=1h", "destroy"}, environment_,
              EncodeRecord(About<wire::Destroy>("c").SerializeAsString()))
          .Finish();
  EXPECT_EQ(result.status, 0) << result.errors;
  EXPECT_EQ(wire::ExitOf(Parse(wait->Finish())), Signaled(SIGTERM));
}

TEST_F(PosixTest, ATaskThatIgnoresTermIsKilledAfterTheGrace) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c",
                  "trap '' TERM; echo $$ > ready; "
                  "while :; do sleep 1000; done"));
  const pid_t task = atoi(ReadLine(ready).c_str());
  const auto wait = StartWait("c");
  const auto begin = std::chrono::steady_clock::now();
  const Result result =
      Command({"--grace=300ms", "destroy"}, environment_,
              EncodeRecord(About<wire::Destroy>("c").SerializeAsString()))
          .Finish();
  EXPECT_EQ(result.status, 0) << result.errors;
  EXPECT_GE(std::chrono::steady_clock::now() - begin,
            std::chrono::milliseconds(300));
  EXPECT_FALSE(Runs(task));
  EXPECT_EQ(wire::ExitOf(Parse(wait->Finish())), Signaled(SIGKILL));
}

TEST_F(PosixTest, AStoppedTaskIsDestroyedWithinTheGrace) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c",
                  "trap 'exit 8' TERM; echo $$ > ready; "
                  "while :; do sleep 0.01; done"));
  ASSERT_EQ(kill(atoi(ReadLine(ready).c_str()), SIGSTOP), 0);
  const auto wait = StartWait("c");
  Destroy("c");
  EXPECT_EQ(wire::ExitOf(Parse(wait->Finish())), Exited(8));
}

TEST_F(PosixTest, AStoppedSupervisorStillEndsItsContainer) {
  Launch(LaunchOf("c", "exec sleep 1000"));
  const ProcessId supervisor = Records("c").launch->supervisor;
  const auto wait = StartWait("c");
  ASSERT_TRUE(SignalProcess(supervisor, SIGSTOP));
  Destroy("c");
  EXPECT_EQ(wire::ExitOf(Parse(wait->Finish())), Signaled(SIGTERM));
}

TEST_F(PosixTest, TermToASupervisorEndsItsContainer) {
  Launch(LaunchOf("c", "exec sleep 1000"));
  ASSERT_TRUE(SignalProcess(Records("c").launch->supervisor, SIGTERM));
  const wire::Termination termination = Wait("c");
  EXPECT_EQ(wire::ExitOf(termination), Signaled(SIGTERM));
  EXPECT_EQ(termination.state(), wire::TASK_KILLED);
  EXPECT_THAT(List(), ElementsAre("c"));
}

TEST_F(PosixTest, AnAgentThatIgnoresSignalsDoesNotMatter) {
  // Ignored signals are inherited: by posix, the supervisor, the task.
  const sighandler_t child = signal(SIGCHLD, SIG_IGN);
  const sighandler_t pipe = signal(SIGPIPE, SIG_IGN);
  Command launch = Start("launch", LaunchOf("c", "exec cat /proc/self/status"));
  signal(SIGCHLD, child);
  signal(SIGPIPE, pipe);
  const Result result = launch.Finish();
  EXPECT_EQ(result.status, 0) << result.errors;
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(0));
  EXPECT_THAT(ReadFile(sandbox_ + "/stdout"),
              HasSubstr("SigIgn:\t0000000000000000"));
}

TEST_F(PosixTest, DestroyEndsDaemonsThatLeftTheSessionAndTheTree) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf(
      "c",
      "(setsid sh -c '(trap \"\" TERM; echo $$ > ready; exec sleep 1000) &' &)"
      "; (setsid sh -c 'echo $$ > ready; exec sleep 1000' &)"
      "; echo $$ > ready; exec sleep 1000"));
  std::vector<pid_t> pids;
  for (int i = 0; i < 3; ++i) pids.push_back(atoi(ReadLine(ready).c_str()));
  const ProcessId supervisor = Records("c").launch->supervisor;
  std::vector<ProcessStat> tree = Descendants(supervisor.pid);
  EXPECT_GE(tree.size(), 3u);
  const Result result =
      Command({"--grace=100ms", "destroy"}, environment_,
              EncodeRecord(About<wire::Destroy>("c").SerializeAsString()))
          .Finish();
  EXPECT_EQ(result.status, 0) << result.errors;
  for (const ProcessStat& process : tree) {
    EXPECT_FALSE(SignalProcess(process.id, 0)) << process.id.pid;
  }
}

TEST_F(PosixTest, WhatATaskLeavesBehindEndsWithIt) {
  const UniqueFd ready = Fifo("ready");
  const UniqueFd go = Fifo("go");
  Launch(LaunchOf("c",
                  "setsid sh -c 'trap \"\" TERM; echo $$ > ready; "
                  "exec sleep 1000' & read line < go; exit 2"));
  const pid_t daemon = atoi(ReadLine(ready).c_str());
  EXPECT_TRUE(Runs(daemon));
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  Wait("c");
  EXPECT_FALSE(Runs(daemon));
}

TEST_F(PosixTest, DestroyIsIdempotentAndMayRunManyTimesAtOnce) {
  Destroy("unknown");
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c", "echo > ready; exec sleep 1000"));
  ReadLine(ready);
  std::vector<Command> commands;
  for (int i = 0; i < 8; ++i) {
    commands.push_back(Start("destroy", About<wire::Destroy>("c")));
  }
  for (Command& command : commands) {
    const Result result = command.Finish();
    EXPECT_EQ(result.status, 0) << result.errors;
  }
  EXPECT_THAT(List(), IsEmpty());
  Destroy("c");
}

TEST_F(PosixTest, AWaitOutlivesASupervisorThatWasKilled) {
  const UniqueFd ready = Fifo("ready");
  const UniqueFd go = Fifo("go");
  Launch(LaunchOf("c", "echo $$ > ready; read line < go"));
  ReadLine(ready);
  const auto wait = StartWait("c");
  const ProcessId supervisor = Records("c").launch->supervisor;
  ASSERT_TRUE(SignalProcess(supervisor, SIGKILL));
  AwaitEnd(supervisor.pid);
  // The task runs on, and that is what usage says.
  const std::optional<wire::ResourceStatistics> usage = Usage("c");
  ASSERT_TRUE(usage.has_value());
  EXPECT_EQ(usage->processes(), 1u);
  EXPECT_FALSE(wait->HasOutput());
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  const wire::Termination termination = Parse(wait->Finish());
  EXPECT_EQ(wire::ExitOf(termination).kind, wire::Exit::Kind::kUnknown);
  EXPECT_THAT(termination.message(), HasSubstr("supervisor was killed"));
  EXPECT_THAT(List(), ElementsAre("c"));
  EXPECT_THAT(Wait("c").message(), HasSubstr("supervisor was killed"));
  EXPECT_FALSE(Usage("c").has_value());
}

TEST_F(PosixTest, DestroyFindsTheTaskOfASupervisorThatWasKilled) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c",
                  "(setsid sh -c 'echo $$ > ready; exec sleep 1000' &); "
                  "echo $$ > ready; exec sleep 1000"));
  const pid_t one = atoi(ReadLine(ready).c_str());
  const pid_t other = atoi(ReadLine(ready).c_str());
  const ProcessId supervisor = Records("c").launch->supervisor;
  ASSERT_TRUE(SignalProcess(supervisor, SIGKILL));
  AwaitEnd(supervisor.pid);
  EXPECT_TRUE(Runs(one));
  EXPECT_TRUE(Runs(other));
  Destroy("c");
  EXPECT_FALSE(Runs(one));
  EXPECT_FALSE(Runs(other));
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(PosixTest, AContainerOfBeforeAReboot) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c", "echo > ready; exec sleep 1000"));
  ReadLine(ready);
  LaunchRecord record = Records("c").launch.value();
  Destroy("c");
  // The same pids, of the boot before: they may be anybody's.
  record.boot_id = "00000000-0000-0000-0000-000000000000";
  record.supervisor = ReadProcessStat(getpid())->id;
  record.task = record.supervisor;
  std::ofstream(work_ + "/program/posix/containers/c") << RecordLine(record);
  const wire::Termination termination = Wait("c");
  EXPECT_THAT(termination.message(), HasSubstr("rebooted"));
  EXPECT_FALSE(termination.has_status());
  EXPECT_FALSE(Usage("c").has_value());
  EXPECT_THAT(List(), ElementsAre("c"));
  Destroy("c");
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(PosixTest, UsageIsThatOfTheWholeTreeAndAnswersAfterTheEnd) {
  const UniqueFd ready = Fifo("ready");
  const UniqueFd go = Fifo("go");
  wire::Launch launch = LaunchOf(
      "c",
      "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; "
      "sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; "
      "sh -c 'setsid sleep 1000 & echo > ready; wait' & read line < go");
  auto* cpus = launch.mutable_executor_info()->add_resources();
  cpus->set_name("cpus");
  cpus->set_type(wire::Value::SCALAR);
  cpus->mutable_scalar()->set_value(0.5);
  auto* mem = launch.mutable_executor_info()->add_resources();
  mem->set_name("mem");
  mem->set_type(wire::Value::SCALAR);
  mem->mutable_scalar()->set_value(64);
  Launch(launch);
  ReadLine(ready);
  const std::optional<wire::ResourceStatistics> running = Usage("c");
  ASSERT_TRUE(running.has_value());
  EXPECT_GT(running->timestamp(), 1.6e9);
  EXPECT_GT(running->cpus_user_time_secs() + running->cpus_system_time_secs(),
            0.05);
  EXPECT_EQ(running->processes(), 3u);
  EXPECT_EQ(running->threads(), 3u);
  EXPECT_GT(running->mem_rss_bytes(), 100000u);
  // Limits that are not enforced are none.
  const bool enforced = WhyNoCgroups().empty();
  EXPECT_EQ(running->cpus_limit(), enforced ? 0.5 : 0);
  EXPECT_EQ(running->mem_limit_bytes(), enforced ? uint64_t{64} << 20 : 0);

  wire::Update update = About<wire::Update>("c");
  *update.add_resources() = *cpus;
  update.mutable_resources(0)->mutable_scalar()->set_value(2);
  const Result updated = Start("update", update).Finish();
  EXPECT_EQ(updated.status, 0) << updated.errors;
  EXPECT_EQ(Usage("c")->cpus_limit(), enforced ? 2 : 0);
  EXPECT_FALSE(Usage("c")->has_mem_limit_bytes());

  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  Wait("c");
  const std::optional<wire::ResourceStatistics> ended = Usage("c");
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->processes(), 0u);
  // The kernel counts running processes in ticks of 10 ms.
  EXPECT_GE(
      ended->cpus_user_time_secs() + ended->cpus_system_time_secs(),
      running->cpus_user_time_secs() + running->cpus_system_time_secs() - 0.05);
  EXPECT_GT(ended->mem_rss_bytes(), 100000u);
}

TEST_F(PosixTest, UpdateAndUsageOfNoContainerAreErrors) {
  for (const char* command : {"update", "usage"}) {
    const Result result = Start(command, About<wire::Usage>("none")).Finish();
    EXPECT_EQ(WEXITSTATUS(result.status), 1);
    EXPECT_THAT(result.errors, HasSubstr("NOT_FOUND"));
    EXPECT_THAT(result.output, IsEmpty());
  }
}

TEST_F(PosixTest, TwentyContainersAtOnce) {
  std::vector<Command> launches;
  for (int i = 0; i < 20; ++i) {
    launches.push_back(Start(
        "launch", LaunchOf(absl::StrCat("c", i), absl::StrCat("exit ", i))));
  }
  for (Command& launch : launches) {
    const Result result = launch.Finish();
    EXPECT_EQ(result.status, 0) << result.errors;
  }
  std::vector<Command> waits;
  for (int i = 0; i < 20; ++i) {
    waits.push_back(Start("wait", About<wire::Wait>(absl::StrCat("c", i))));
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(wire::ExitOf(Parse(waits[static_cast<size_t>(i)].Finish())),
              Exited(i));
  }
  EXPECT_EQ(List().size(), 20u);
}

TEST_F(PosixTest, TwoWorkDirectoriesDoNotSeeEachOther) {
  const UniqueFd go = Fifo("go");
  Launch(LaunchOf("c", "read line < go; exit 1"));
  const std::string first = environment_["MESOS_WORK_DIRECTORY"];
  const std::string second = base_ + "/work2";
  ASSERT_EQ(mkdir(second.c_str(), 0755), 0);
  environment_["MESOS_WORK_DIRECTORY"] = second;
  EXPECT_THAT(List(), IsEmpty());
  Destroy("c");
  Launch(LaunchOf("c", "exit 2"));
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(2));
  Destroy("c");
  environment_["MESOS_WORK_DIRECTORY"] = first;
  EXPECT_THAT(List(), ElementsAre("c"));
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(1));
}

TEST_F(PosixTest, WithoutAWorkDirectoryTheUsersOwnIsUsed) {
  environment_.erase("MESOS_WORK_DIRECTORY");
  environment_["XDG_RUNTIME_DIR"] = base_;
  Launch(LaunchOf("c", "exit 0"));
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(0));
  EXPECT_THAT(List(), ElementsAre("c"));
  Destroy("c");
  struct stat status;
  ASSERT_EQ(stat((base_ + "/posix-containerizer").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

// Kills a launch when it is about to make its `calls`-th system call, or has
// just made it. False if it had ended before.
bool LaunchKilledAt(int calls, const std::string& record,
                    const std::map<std::string, std::string>& environment) {
  const int input = memfd_create("record", MFD_CLOEXEC);
  EXPECT_EQ(write(input, record.data(), record.size()),
            static_cast<ssize_t>(record.size()));
  EXPECT_EQ(lseek(input, 0, SEEK_SET), 0);
  const std::string binary = TestDataPath("containerizer/program/posix/posix");
  std::vector<std::string> variables;
  for (const auto& variable : environment) {
    variables.push_back(absl::StrCat(variable.first, "=", variable.second));
  }
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  char name[] = "posix";
  char command[] = "launch";
  char* const argv[] = {name, command, nullptr};
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(input, 0);
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    execve(binary.c_str(), argv, envp.data());
    _exit(127);
  }
  close(input);
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  for (int i = 0; i < calls && WIFSTOPPED(status); ++i) {
    ptrace(PTRACE_SYSCALL, pid, nullptr, nullptr);
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
  }
  if (!WIFSTOPPED(status)) {
    EXPECT_EQ(status, 0);
    return false;
  }
  kill(pid, SIGKILL);
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  return true;
}

TEST_F(PosixTest, ALaunchKilledAtAnySystemCallLeavesWhatDestroyCleans) {
  const std::string mark = absl::StrCat("MARK=", base_);
  environment_["MARK"] = base_;
  const std::string record =
      EncodeRecord(LaunchOf("c", "exec sleep 1000").SerializeAsString());
  bool ran = false;
  for (int calls = 1; LaunchKilledAt(calls, record, environment_); ++calls) {
    ran = ran || !ProcessesWith(mark)->empty();
    Destroy("c");
    ASSERT_THAT(List(), IsEmpty()) << "killed at " << calls;
    ASSERT_THAT(Cgroups(), IsEmpty()) << "killed at " << calls;
    const auto left = ProcessesWith(mark);
    ASSERT_TRUE(left.has_value());
    for (const ProcessStat& process : *left) {
      ASSERT_EQ(process.state, 'Z')
          << "killed at " << calls << ": " << process.id.pid;
    }
  }
  EXPECT_TRUE(ran) << "some were killed after the task had started";
  EXPECT_THAT(List(), ElementsAre("c")) << "the last one was not killed";
}

TEST_F(PosixTest, ALaunchKilledAtAnySystemCallLeavesNoCgroupAfterRecover) {
  const std::string record =
      EncodeRecord(LaunchOf("c", "exec sleep 1000").SerializeAsString());
  bool made = false;
  for (int calls = 1; LaunchKilledAt(calls, record, environment_); ++calls) {
    // What is being started still, or runs, is not recover's to end.
    while (!List().empty() && !Records("c").launch.has_value()) {
      made = made || !Cgroups().empty();
      const Result result = Command({"recover"}, environment_, "").Finish();
      ASSERT_EQ(result.status, 0) << result.errors;
    }
    if (!List().empty()) Destroy("c");
    ASSERT_THAT(Cgroups(), IsEmpty()) << "killed at " << calls;
  }
  EXPECT_EQ(made, WhyNoCgroups().empty());
}

TEST_F(PosixTest, RecoverForgetsALaunchThatStartedNothing) {
  Launch(LaunchOf("ended", "exit 0"));
  Wait("ended");
  std::ofstream(work_ + "/program/posix/containers/half") << "\nlaunch";
  EXPECT_THAT(List(), UnorderedElementsAre("ended", "half"));
  const Result waited = Start("wait", About<wire::Wait>("half")).Finish();
  EXPECT_EQ(WEXITSTATUS(waited.status), 1);
  EXPECT_THAT(waited.errors, HasSubstr("destroy it"));
  const Result result = Command({"recover"}, environment_, "").Finish();
  EXPECT_EQ(result.status, 0) << result.errors;
  EXPECT_THAT(List(), ElementsAre("ended"));
}

TEST_F(PosixTest, AContainerWhoseFileIsDamagedIsNotForgottenWhileItRuns) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c", "echo > ready; exec sleep 1000"));
  ReadLine(ready);
  const std::string path = work_ + "/program/posix/containers/c";
  const std::string good = ReadFile(path);
  std::string bad = good;
  bad.replace(bad.find("launched"), 8, "lxunched");
  std::ofstream(path) << bad;
  std::ofstream(work_ + "/program/posix/containers/half") << "\nlaunch";
  const pid_t task = ParseRecords(good).launch->task.pid;

  const Result recover = Command({"recover"}, environment_, "").Finish();
  EXPECT_EQ(recover.status, 0);
  EXPECT_THAT(recover.errors, HasSubstr("recover of container c: "));
  EXPECT_THAT(List(), ElementsAre("c")) << "the other one is recovered";
  const Result destroy = Start("destroy", About<wire::Destroy>("c")).Finish();
  EXPECT_EQ(WEXITSTATUS(destroy.status), 1);
  EXPECT_THAT(destroy.errors, HasSubstr("damaged"));
  EXPECT_THAT(List(), ElementsAre("c"));
  EXPECT_TRUE(Runs(task));
  EXPECT_EQ(WEXITSTATUS(Start("wait", About<wire::Wait>("c")).Finish().status),
            1);
  std::ofstream(path) << good;
}

TEST_F(PosixTest, AMegabyteOfLaunchWorks) {
  wire::Launch launch = LaunchOf("c", "exit 5");
  launch.mutable_executor_info()->set_data(std::string(1 << 20, '\xaa'));
  Launch(launch);
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(5));
}

TEST_F(PosixTest, SuperviseIsNotForUsers) {
  const Result result = Command({"supervise"}, environment_, "").Finish();
  EXPECT_EQ(WEXITSTATUS(result.status), 2);
  EXPECT_THAT(result.errors, HasSubstr("not a command"));
  EXPECT_EQ(WEXITSTATUS(Command({"--grace=soon", "destroy"}, environment_, "")
                            .Finish()
                            .status),
            2);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

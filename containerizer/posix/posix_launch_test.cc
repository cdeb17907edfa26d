// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The command launch of the real binary.

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/posix_testing.h"
#include "external_containerizer/containerizer/posix/process_tree.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/transport/linux/unique_fd.h"
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

using PosixLaunchTest = PosixTest;

TEST_F(PosixLaunchTest, ATaskRunsAndItsEndIsTold) {
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

TEST_F(PosixLaunchTest, ExitZeroIsFinished) {
  Launch(LaunchOf("c", "exit 0"));
  const wire::Termination termination = Wait("c");
  EXPECT_EQ(wire::ExitOf(termination), Exited(0));
  EXPECT_EQ(termination.state(), wire::TASK_FINISHED);
}

TEST_F(PosixLaunchTest, DeathBySignalIsTold) {
  Launch(LaunchOf("c", "kill -SEGV $$"));
  EXPECT_EQ(wire::ExitOf(Wait("c")), Signaled(SIGSEGV));
}

TEST_F(PosixLaunchTest, OutputIsAppendedToWhatIsThere) {
  Launch(LaunchOf("c1", "echo one"));
  Wait("c1");
  Launch(LaunchOf("c2", "echo two"));
  Wait("c2");
  EXPECT_EQ(ReadFile(sandbox_ + "/stdout"), "one\ntwo\n");
}

TEST_F(PosixLaunchTest, WithoutAShellArgumentsArriveAsTheyAre) {
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

TEST_F(PosixLaunchTest, TheTasksCommandRunsIfTheExecutorHasNone) {
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

TEST_F(PosixLaunchTest, TheEnvironmentIsTheLaunchsWithTheCommandsOverIt) {
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

TEST_F(PosixLaunchTest, TheTaskIsInItsSandboxWithNothingElseOpen) {
  Launch(LaunchOf("c", "pwd; ls /proc/self/fd | tr '\\n' ' '; cat | wc -c"));
  Wait("c");
  // `ls` has the directory open.
  EXPECT_EQ(ReadFile(sandbox_ + "/stdout"), sandbox_ + "\n0 1 2 3 0\n");
}

TEST_F(PosixLaunchTest, TheTaskHasDefaultSignals) {
  Launch(LaunchOf("c", "exec cat /proc/self/status"));
  Wait("c");
  const std::vector<std::string> lines =
      absl::StrSplit(ReadFile(sandbox_ + "/stdout"), '\n');
  EXPECT_THAT(lines, AllOf(Contains("SigBlk:\t0000000000000000"),
                           Contains("SigIgn:\t0000000000000000"),
                           Contains("SigCgt:\t0000000000000000")));
}

TEST_F(PosixLaunchTest, AnAgentThatIgnoresSignalsDoesNotMatter) {
  // posix, the supervisor and the task inherit ignored signals.
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

TEST_F(PosixLaunchTest, ACommandThatIsNotThereFailsTheLaunchWith127) {
  wire::Launch launch = LaunchOf("c", "no-such-command");
  launch.mutable_executor_info()->mutable_command()->set_shell(false);
  EXPECT_THAT(FailedLaunch(launch, 127),
              AllOf(StartsWith("posix: launch: container \"c\": "),
                    HasSubstr("\"no-such-command\""), HasSubstr("PATH"),
                    HasSubstr("No such file or directory")));
  launch.mutable_executor_info()->mutable_command()->set_value("./script");
  EXPECT_THAT(FailedLaunch(launch, 127),
              HasSubstr("No such file or directory"));
}

TEST_F(PosixLaunchTest, ACommandThatMayNotBeExecutedFailsTheLaunchWith126) {
  std::ofstream(sandbox_ + "/script") << "#!/bin/sh\nexit 0\n";
  wire::Launch launch = LaunchOf("c", "./script");
  launch.mutable_executor_info()->mutable_command()->set_shell(false);
  EXPECT_THAT(FailedLaunch(launch, 126),
              AllOf(HasSubstr("./script"), HasSubstr("Permission denied")));
  ASSERT_EQ(chmod((sandbox_ + "/script").c_str(), 0755), 0);
  Launch(launch);
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(0));
}

TEST_F(PosixLaunchTest, AFileOfAnotherFormatFailsTheLaunchWith126) {
  std::ofstream(sandbox_ + "/garbage") << "\x01\x02\x03";
  ASSERT_EQ(chmod((sandbox_ + "/garbage").c_str(), 0755), 0);
  wire::Launch launch = LaunchOf("c", "./garbage");
  launch.mutable_executor_info()->mutable_command()->set_shell(false);
  EXPECT_THAT(FailedLaunch(launch, 126), HasSubstr("Exec format error"));
}

TEST_F(PosixLaunchTest, ASandboxThatCannotBeUsedFailsTheLaunchAndIsNamed) {
  wire::Launch launch = LaunchOf("c", "true");
  launch.set_directory(base_ + "/none");
  EXPECT_THAT(FailedLaunch(launch), HasSubstr(base_ + "/none"));
  launch.set_directory("relative");
  EXPECT_THAT(FailedLaunch(launch), HasSubstr("INVALID_ARGUMENT"));
  for (const std::string file : {"/proc/self/stat", "/proc/self/cwd"}) {
    launch.set_directory(file);  // no directory, or a link to one
    EXPECT_THAT(FailedLaunch(launch),
                AllOf(HasSubstr(file), HasSubstr("FAILED_PRECONDITION")));
  }
  launch.set_directory("/proc");  // nobody can make a file there
  EXPECT_THAT(FailedLaunch(launch), HasSubstr("/proc/stdout"));
}

TEST_F(PosixLaunchTest, ALinkInTheSandboxIsNotWrittenThrough) {
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

TEST_F(PosixLaunchTest, AnotherUserIsRefused) {
  wire::Launch launch = LaunchOf("c", "true");
  launch.set_user("no-such-user");
  EXPECT_THAT(FailedLaunch(launch), AllOf(HasSubstr("no-such-user"),
                                          HasSubstr("FAILED_PRECONDITION")));
}

TEST_F(PosixLaunchTest, ANulInTheCommandIsRefused) {
  EXPECT_THAT(FailedLaunch(LaunchOf("c", std::string("a\0b", 3))),
              HasSubstr("INVALID_ARGUMENT"));
}

TEST_F(PosixLaunchTest, LaunchingTwiceIsRefusedAndTheFirstRunsOn) {
  const UniqueFd go = Fifo("go");
  Launch(LaunchOf("c", "read line < go; exit 4"));
  const Result again = Start("launch", LaunchOf("c", "exit 5")).Finish();
  EXPECT_EQ(WEXITSTATUS(again.status), 1);
  EXPECT_THAT(again.errors, HasSubstr("ALREADY_EXISTS"));
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(4));
}

TEST_F(PosixLaunchTest, OfManyLaunchesOfOneContainerOneSucceeds) {
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

TEST_F(PosixLaunchTest, TheSupervisorHasNothingOfTheLaunch) {
  environment_["SECRET_OF_AGENT"] = "s3cret-a";
  const UniqueFd ready = Fifo("ready");
  wire::Launch launch = LaunchOf("c", "echo $$ > ready; exec sleep 1000");
  auto* variable = launch.mutable_executor_info()
                       ->mutable_command()
                       ->mutable_environment()
                       ->add_variables();
  variable->set_name("SECRET_OF_TASK");
  variable->set_value("s3cret-b");
  // Launch() returns when no process has a pipe of the launch open.
  Launch(launch);
  const pid_t task = atoi(ReadLine(ready).c_str());
  const LaunchRecord record = Records("c").launch.value();
  EXPECT_EQ(record.task.pid, task);
  EXPECT_TRUE(IdentityOf(task) == record.task);
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

TEST_F(PosixLaunchTest, TwentyContainersAtOnce) {
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

TEST_F(PosixLaunchTest, AMegabyteOfLaunchWorks) {
  wire::Launch launch = LaunchOf("c", "exit 5");
  launch.mutable_executor_info()->set_data(std::string(1 << 20, '\xaa'));
  Launch(launch);
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(5));
}

TEST_F(PosixLaunchTest, SuperviseIsNotForUsers) {
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

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The state that the real binary keeps from one command to the next: across
// work directories, reboots and damage.

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/posix_testing.h"
#include "external_containerizer/containerizer/posix/process_tree.h"
#include "external_containerizer/containerizer/posix/records.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/process_identity.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/record_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

using PosixStateTest = PosixTest;

TEST_F(PosixStateTest, UsageIsThatOfTheWholeTreeAndAnswersAfterTheEnd) {
  const UniqueFd ready = Fifo("ready");
  const UniqueFd go = Fifo("go");
  const wire::Launch launch = LaunchOf(
      "c",
      "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; "
      "sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; "
      "sh -c 'setsid sleep 1000 & echo > ready; wait' & read line < go",
      0.5, 64);
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
  // Usage shows no limit that is not enforced.
  const bool enforced = WhyNoCgroups().empty();
  EXPECT_EQ(running->cpus_limit(), enforced ? 0.5 : 0);
  EXPECT_EQ(running->mem_limit_bytes(), enforced ? uint64_t{64} << 20 : 0);

  Update("c", 2, 0);
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

TEST_F(PosixStateTest, UpdateAndUsageOfNoContainerAreErrors) {
  for (const char* command : {"update", "usage"}) {
    const Result result = Start(command, About<wire::Usage>("none")).Finish();
    EXPECT_EQ(WEXITSTATUS(result.status), 1);
    EXPECT_THAT(result.errors, HasSubstr("NOT_FOUND"));
    EXPECT_THAT(result.output, IsEmpty());
  }
}

TEST_F(PosixStateTest, TwoWorkDirectoriesDoNotSeeEachOther) {
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

TEST_F(PosixStateTest, WithoutAWorkDirectoryTheUsersOwnIsUsed) {
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

TEST_F(PosixStateTest, AContainerOfBeforeAReboot) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c", "echo > ready; exec sleep 1000"));
  ReadLine(ready);
  const LaunchRecord record = Records("c").launch.value();
  Destroy("c");
  // The same pids in an earlier boot may be any process now.
  ContainerRecord plan;
  plan.mutable_plan()->set_version(kRecordVersion);
  plan.mutable_plan()->set_boot_id("00000000-0000-0000-0000-000000000000");
  plan.mutable_plan()->set_token(record.token);
  const ProcStat self = ReadProcStat(getpid()).value();
  ContainerRecord start;
  start.mutable_start()->set_supervisor_pid(static_cast<uint32_t>(self.pid));
  start.mutable_start()->set_supervisor_start_ticks(self.start_ticks);
  start.mutable_start()->set_task_pid(static_cast<uint32_t>(self.pid));
  start.mutable_start()->set_task_start_ticks(self.start_ticks);
  std::ofstream(work_ + "/program/posix/containers/c")
      << FramedRecord(plan.SerializeAsString())
      << FramedRecord(start.SerializeAsString());
  const wire::Termination termination = Wait("c");
  EXPECT_THAT(termination.message(), HasSubstr("rebooted"));
  EXPECT_FALSE(termination.has_status());
  EXPECT_FALSE(Usage("c").has_value());
  EXPECT_THAT(List(), ElementsAre("c"));
  Destroy("c");
  EXPECT_THAT(List(), IsEmpty());
}

// Runs a command of posix as the init of a PID namespace of its own.
class OtherNamespace {
 public:
  static bool CanBeMade() {
    return system("unshare --pid --fork --mount-proc true 2>/dev/null") == 0;
  }

  // Returns the exit code, and its stderr in `errors`.
  static int Run(const std::string& directory, const std::string& work,
                 const std::string& command, const std::string& record,
                 std::string* errors) {
    std::ofstream(directory + "/record") << record;
    const int status =
        system(absl::StrCat("env -i PATH=/usr/bin:/bin MESOS_WORK_DIRECTORY='",
                            work, "' unshare --pid --fork --mount-proc '",
                            TestDataPath("containerizer/posix/posix"), "' ",
                            command, " < '", directory, "/record' > '",
                            directory, "/output' 2> '", directory, "/errors'")
                   .c_str());
    *errors = ReadFile(directory + "/errors");
    return WEXITSTATUS(status);
  }
};

TEST_F(PosixStateTest, AContainerOfAnotherPidNamespaceIsLeftAlone) {
  if (!OtherNamespace::CanBeMade()) GTEST_SKIP() << "no PID namespaces";
  Launch(LaunchOf("c", "exec sleep 1000"));
  const std::string record =
      EncodeRecord(About<wire::Destroy>("c").SerializeAsString());
  std::string errors;
  for (const char* command : {"wait", "usage", "destroy"}) {
    EXPECT_EQ(OtherNamespace::Run(base_, work_, command, record, &errors), 1);
    EXPECT_THAT(errors, HasSubstr("another PID namespace")) << command;
  }
  EXPECT_EQ(OtherNamespace::Run(base_, work_, "recover", "", &errors), 0);
  EXPECT_EQ(OtherNamespace::Run(base_, work_, "containers", "", &errors), 0);
  EXPECT_THAT(ReadFile(base_ + "/output"), HasSubstr("c"));
  EXPECT_TRUE(Runs(Records("c").launch->task.pid));
}

TEST_F(PosixStateTest, AContainerThatEndedWithItsPidNamespaceCanBeDestroyed) {
  if (!OtherNamespace::CanBeMade()) GTEST_SKIP() << "no PID namespaces";
  const std::string record =
      EncodeRecord(LaunchOf("c", "exec sleep 1000").SerializeAsString());
  std::string errors;
  // The launch is the init of the namespace: all others end with it.
  ASSERT_EQ(OtherNamespace::Run(base_, work_, "launch", record, &errors), 0)
      << errors;
  EXPECT_THAT(Wait("c").message(), HasSubstr("supervisor was killed"));
  EXPECT_FALSE(Usage("c").has_value());
  Destroy("c");
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_THAT(Cgroups(), IsEmpty());
}

TEST_F(PosixStateTest, WithoutABootIdTheLaunchNamesIt) {
  if (system("unshare -m mount -t tmpfs none /proc/sys 2>/dev/null") != 0) {
    GTEST_SKIP() << "/proc/sys cannot be hidden";
  }
  std::ofstream(base_ + "/record")
      << EncodeRecord(LaunchOf("c", "true").SerializeAsString());
  const int status = system(
      absl::StrCat("MESOS_WORK_DIRECTORY='", work_,
                   "' unshare -m sh -c 'mount -t tmpfs none /proc/sys; exec ",
                   TestDataPath("containerizer/posix/posix"), " launch' < '",
                   base_, "/record' 2> '", base_, "/errors'")
          .c_str());
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_THAT(ReadFile(base_ + "/errors"), HasSubstr("boot id"));
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(PosixStateTest, AnImmutableFileIsNamedByTheDestroyThatCannotRemoveIt) {
  Launch(LaunchOf("c", "exit 0"));
  Wait("c");
  const std::string file = work_ + "/program/posix/containers/c";
  if (system(absl::StrCat("chattr +i '", file, "' 2>/dev/null").c_str()) != 0) {
    GTEST_SKIP() << "no immutable files here";
  }
  const Result result = Start("destroy", About<wire::Destroy>("c")).Finish();
  EXPECT_EQ(system(absl::StrCat("chattr -i '", file, "'").c_str()), 0);
  EXPECT_EQ(WEXITSTATUS(result.status), 1);
  EXPECT_THAT(result.errors,
              AllOf(HasSubstr(file), HasSubstr("Operation not permitted")));
}

TEST_F(PosixStateTest, ARecordOfANewerPosixIsRefusedAndKept) {
  const std::string file = work_ + "/program/posix/containers/c";
  Launch(LaunchOf("other", "exit 0"));
  ContainerRecord record;
  record.mutable_plan()->set_version(kRecordVersion + 1);
  std::ofstream(file) << FramedRecord(record.SerializeAsString());
  for (const char* command : {"wait", "usage", "destroy", "update"}) {
    const Result result = Start(command, About<wire::Wait>("c")).Finish();
    EXPECT_EQ(WEXITSTATUS(result.status), 1) << command;
    EXPECT_THAT(result.errors, HasSubstr("newer posix")) << command;
  }
  EXPECT_EQ(Command({"recover"}, environment_, "").Finish().status, 0);
  EXPECT_THAT(List(), UnorderedElementsAre("c", "other"));
  ASSERT_EQ(unlink(file.c_str()), 0);
}

// Returns what a crash in the midst of a launch may leave.
std::string HalfARecord() {
  ContainerRecord record;
  record.mutable_plan()->set_token(std::string(32, '0'));
  return FramedRecord(record.SerializeAsString()).substr(0, 20);
}

TEST_F(PosixStateTest, RecoverForgetsALaunchThatStartedNothing) {
  Launch(LaunchOf("ended", "exit 0"));
  Wait("ended");
  std::ofstream(work_ + "/program/posix/containers/half") << HalfARecord();
  EXPECT_THAT(List(), UnorderedElementsAre("ended", "half"));
  const Result waited = Start("wait", About<wire::Wait>("half")).Finish();
  EXPECT_EQ(WEXITSTATUS(waited.status), 1);
  EXPECT_THAT(waited.errors, HasSubstr("destroy it"));
  const Result result = Command({"recover"}, environment_, "").Finish();
  EXPECT_EQ(result.status, 0) << result.errors;
  EXPECT_THAT(List(), ElementsAre("ended"));
}

TEST_F(PosixStateTest, WhatRunsOfAContainerWhoseFileIsDamagedIsDestroyed) {
  const UniqueFd ready = Fifo("ready");
  // Without cgroups, only the environment leads to the processes.
  flags_ = {"--cgroups=no"};
  for (const bool supervised : {true, false}) {
    const std::string command = "echo > ready; exec sleep 1000";
    Launch(LaunchOf("other", command));
    ReadLine(ready);
    Launch(LaunchOf("c", "(setsid sleep 1000 &); " + command));
    ReadLine(ready);
    const LaunchRecord launch = Records("c").launch.value();
    const std::vector<ProcStat> tree = Descendants(launch.supervisor.pid);
    EXPECT_EQ(tree.size(), 2u);
    const std::string file = work_ + "/program/posix/containers/";
    DamageLaunch("c");
    std::ofstream(file + "half") << HalfARecord();
    if (!supervised) {
      ASSERT_TRUE(SignalProcess(launch.supervisor, SIGKILL));
      AwaitEnd(launch.supervisor.pid);
    }

    // Only destroy forgets or ends it.
    const Result recover = Command({"recover"}, environment_, "").Finish();
    EXPECT_EQ(recover.status, 0);
    EXPECT_THAT(recover.errors,
                AllOf(HasSubstr("recover of container c: "),
                      HasSubstr("damaged"), HasSubstr("destroy it")));
    EXPECT_EQ(
        WEXITSTATUS(Start("wait", About<wire::Wait>("c")).Finish().status), 1);
    EXPECT_THAT(List(), UnorderedElementsAre("c", "other"));
    EXPECT_TRUE(Runs(launch.task.pid));

    const Result destroy = Start("destroy", About<wire::Destroy>("c")).Finish();
    EXPECT_EQ(destroy.status, 0) << destroy.errors;
    EXPECT_THAT(destroy.errors, HasSubstr("damaged"));
    for (const ProcStat& process : tree) {
      EXPECT_FALSE(Runs(process.pid)) << process.pid;
    }
    EXPECT_THAT(List(), ElementsAre("other"));
    EXPECT_TRUE(Runs(Records("other").launch->task.pid));
    AwaitEnd(launch.supervisor.pid);
    Destroy("other");
  }
}

TEST_F(PosixStateTest, ADamagedFileThatLeadsNowhereIsKeptForAPerson) {
  Launch(LaunchOf("other", "exec sleep 1000"));
  const std::string path = work_ + "/program/posix/containers/c";
  std::ofstream(path) << std::string(300, '\0') << "\n";
  const Result destroy = Start("destroy", About<wire::Destroy>("c")).Finish();
  EXPECT_EQ(WEXITSTATUS(destroy.status), 1);
  EXPECT_THAT(destroy.errors,
              AllOf(HasSubstr(path), HasSubstr("remove the file"),
                    HasSubstr(kTokenVariable), HasSubstr("DATA_LOSS")));
  EXPECT_THAT(List(), UnorderedElementsAre("c", "other"));
  EXPECT_TRUE(Runs(Records("other").launch->task.pid));
  ASSERT_EQ(unlink(path.c_str()), 0);
}

TEST_F(PosixStateTest, ADamagedFileThatTellsTheEndIsEnough) {
  const UniqueFd go = Fifo("go");
  Launch(LaunchOf("c", "read line < go; exit 3"));
  const ProcessIdentity supervisor = Records("c").launch->supervisor;
  const auto wait = StartWait("c");
  DamageLaunch("c");
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  EXPECT_EQ(wire::ExitOf(Parse(wait->Finish())), Exited(3));
  AwaitEnd(supervisor.pid);
  EXPECT_EQ(Command({"recover"}, environment_, "").Finish().status, 0);
  EXPECT_THAT(List(), ElementsAre("c"));
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(3));
  Destroy("c");
  EXPECT_THAT(List(), IsEmpty());
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

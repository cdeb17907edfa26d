// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The limits that the real binary enforces. The tests need root and writable
// cgroups, and are skipped without.

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/posix/container_cgroups.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/container_store.h"
#include "external_containerizer/containerizer/posix/posix_testing.h"
#include "external_containerizer/containerizer/posix/process_tree.h"
#include "external_containerizer/containerizer/posix/small_files.h"
#include "external_containerizer/containerizer/posix/tree_usage.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/testing/status_matchers.h"
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

constexpr uint64_t kMiB = 1 << 20;

// tail keeps the last line in memory, and the input is one line.
std::string Hold(int mebibytes) {
  return absl::StrCat("head -c ", mebibytes, "m /dev/zero");
}

class PosixLimitsTest : public PosixTest {
 protected:
  void SetUp() override {
    PosixTest::SetUp();
    const std::string why = WhyNoCgroups();
    if (!why.empty()) GTEST_SKIP() << "no limits can be enforced here: " << why;
  }

  void TearDown() override {
    PosixTest::TearDown();
    if (!IsSkipped()) {
      EXPECT_THAT(Cgroups(), IsEmpty());
    }
  }

  wire::Launch Limited(const std::string& command, double cpus, double mem) {
    return LaunchOf("c", command, cpus, mem);
  }

  void Update(double cpus, double mem) { PosixTest::Update("c", cpus, mem); }

  bool IsVersionTwo(const std::string& controller) {
    for (const ContainerCgroup& cgroup : Records("c").cgroups) {
      for (const std::string& has : cgroup.controllers()) {
        if (has == controller) return cgroup.unified();
      }
    }
    ADD_FAILURE() << "no cgroup of it has " << controller;
    return false;
  }

  // Returns the maximum of CPUs that the container's cgroup has.
  double CpuMaximum() {
    for (const ContainerCgroup& cgroup : Records("c").cgroups) {
      double runs = 0;
      double period = 0;
      if (sscanf(ReadFile(cgroup.path() + "/cpu.max").c_str(), "%lf %lf", &runs,
                 &period) == 2) {
        return runs / period;
      }
      if (sscanf(ReadFile(cgroup.path() + "/cpu.cfs_quota_us").c_str(), "%lf",
                 &runs) == 1) {
        return runs / 100000;
      }
    }
    return 0;
  }

  std::string Stdout() { return ReadFile(sandbox_ + "/stdout"); }
};

TEST_F(PosixLimitsTest, ATaskIsInItsCgroupsFromItsFirstInstruction) {
  Launch(Limited("cat /proc/self/cgroup", 1, 64));
  Wait("c");
  EXPECT_THAT(Stdout(), HasSubstr("/posix-"));
  EXPECT_THAT(Cgroups(), IsEmpty()) << "the supervisor removes them";
}

TEST_F(PosixLimitsTest, AMemoryHogIsKilledAndTheTerminationSaysWhy) {
  Launch(Limited(Hold(96) + " | tail > /dev/null", 0, 32));
  const wire::Termination termination = Wait("c");
  EXPECT_EQ(termination.state(), wire::TASK_FAILED);
  EXPECT_THAT(
      termination.reasons(),
      ElementsAre(wire::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY));
  EXPECT_TRUE(termination.killed()) << "for releases before 0.26";
  EXPECT_EQ(wire::ExitOf(termination), Exited(128 + SIGKILL));
  EXPECT_THAT(termination.message(),
              AllOf(HasSubstr("memory limit of 32 MiB reached"),
                    HasSubstr("MiB were in use")));
  const std::optional<wire::ResourceStatistics> usage = Usage("c");
  ASSERT_TRUE(usage.has_value());
  EXPECT_EQ(usage->mem_limit_bytes(), 32 * kMiB);
  EXPECT_LE(usage->mem_total_bytes(), 32 * kMiB);
  EXPECT_GE(usage->mem_total_bytes(), 30 * kMiB);
}

TEST_F(PosixLimitsTest, WhoStaysBelowTheLimitIsLeftAlone) {
  Launch(Limited(Hold(16) + " | tail > /dev/null; exit $?", 0, 64));
  const wire::Termination termination = Wait("c");
  EXPECT_EQ(termination.state(), wire::TASK_FINISHED) << termination.message();
  EXPECT_THAT(termination.message(), Not(HasSubstr("memory")));
}

TEST_F(PosixLimitsTest, FailingForAnotherReasonIsNoMemoryLimit) {
  Launch(Limited("kill -9 $$", 0, 32));
  const wire::Termination termination = Wait("c");
  EXPECT_THAT(termination.reasons(),
              ElementsAre(wire::TaskStatus::REASON_EXECUTOR_TERMINATED));
  EXPECT_FALSE(termination.killed());
}

TEST_F(PosixLimitsTest, ATaskThatMakesUpForAKilledChildHasNotFailed) {
  const wire::Launch launch =
      Limited(Hold(96) + " | tail > /dev/null; exit 0", 0, 32);
  Launch(launch);
  wire::Termination termination = Wait("c");
  // A kernel that is slow to free the child's memory kills the shell as well.
  for (int i = 0;
       i < 5 && absl::StrContains(termination.message(), "killed 2 of"); ++i) {
    Destroy("c");
    Launch(launch);
    termination = Wait("c");
  }
  EXPECT_EQ(termination.state(), wire::TASK_FINISHED) << termination.message();
  EXPECT_THAT(termination.reasons(), IsEmpty());
  EXPECT_THAT(termination.message(), HasSubstr("memory limit of 32 MiB"));
}

TEST_F(PosixLimitsTest, AProtectedAgentsTaskIsNotProtected) {
  const std::string file = "/proc/self/oom_score_adj";
  const std::string before = ReadFile(file);
  if (WriteSmallFile(file, "-500") != 0) {
    GTEST_SKIP() << "this process may not protect itself";
  }
  Launch(Limited(
      "cat /proc/self/oom_score_adj; " + Hold(96) + " | tail > /dev/null", 0,
      32));
  EXPECT_EQ(WriteSmallFile(file, before), 0);
  EXPECT_THAT(
      Wait("c").reasons(),
      ElementsAre(wire::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY));
  EXPECT_EQ(Stdout(), "0\n");
}

TEST_F(PosixLimitsTest, TheMemoryLimitIsToldAlsoIfTheSupervisorWasKilled) {
  const UniqueFd go = Fifo("go");
  Launch(Limited("read line < go; " + Hold(96) + " | tail > /dev/null", 0, 32));
  const ProcessIdentity supervisor = Records("c").launch->supervisor;
  ASSERT_TRUE(SignalProcess(supervisor, SIGKILL));
  AwaitEnd(supervisor.pid);
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  const wire::Termination termination = Wait("c");
  EXPECT_THAT(termination.reasons(),
              ElementsAre(wire::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY))
      << termination.message();
  Destroy("c");
}

TEST_F(PosixLimitsTest, ATenthOfACpuIsNotMore) {
  Launch(Limited("while :; do :; done", 0.1, 0));
  // On a busy machine its share may be less than its maximum.
  for (const std::string& cgroup : Cgroups()) {
    for (const char* setting : {"/cpu.shares", "/cpu.weight"}) {
      const int fd = open((cgroup + setting).c_str(), O_WRONLY | O_CLOEXEC);
      if (fd < 0) continue;
      EXPECT_EQ(write(fd, "10000", 5), 5) << cgroup;
      close(fd);
    }
  }
  std::optional<wire::ResourceStatistics> usage;
  ASSERT_TRUE(Eventually([&] {
    usage = Usage("c");
    return usage.has_value() && usage->cpus_nr_throttled() >= 10;
  }));
  EXPECT_EQ(usage->cpus_limit(), 0.1);
  EXPECT_GE(usage->cpus_nr_periods(), usage->cpus_nr_throttled());
  EXPECT_GT(usage->cpus_throttled_time_secs(), 0.1);
  // It has 10 ms of every 100 ms, and one period may be under way.
  EXPECT_LE(usage->cpus_user_time_secs() + usage->cpus_system_time_secs(),
            0.011 * (usage->cpus_nr_periods() + 2) + 0.03);
  Update(4, 0);
  usage = Usage("c");
  const double before =
      usage->cpus_user_time_secs() + usage->cpus_system_time_secs();
  const uint32_t throttled = usage->cpus_nr_throttled();
  EXPECT_TRUE(Eventually([&] {
    usage = Usage("c");
    return usage->cpus_user_time_secs() + usage->cpus_system_time_secs() >
           before + 0.5;
  }));
  EXPECT_LE(usage->cpus_nr_throttled(), throttled + 1);
  EXPECT_EQ(usage->cpus_limit(), 4);
}

TEST_F(PosixLimitsTest, WithoutAQuotaCpusAreOnlyAShare) {
  flags_ = {"--cpu_quota=no"};
  Launch(Limited("while :; do :; done", 0.1, 0));
  std::optional<wire::ResourceStatistics> usage;
  EXPECT_TRUE(Eventually([&] {
    usage = Usage("c");
    return usage->cpus_user_time_secs() > 0.3;
  }));
  EXPECT_EQ(usage->cpus_nr_throttled(), 0u);
  EXPECT_EQ(usage->cpus_limit(), 0.1);
}

TEST_F(PosixLimitsTest, UpdateRaisesAndLowersAndNeverKills) {
  const UniqueFd go = Fifo("go");
  Launch(
      Limited("(" + Hold(24) + "; read line < go) | tail > /dev/null", 0, 64));
  ASSERT_TRUE(
      Eventually([&] { return Usage("c")->mem_anon_bytes() >= 24 * kMiB; }));
  EXPECT_EQ(Usage("c")->mem_limit_bytes(), 64 * kMiB);
  // Version 2 slows down a container above its soft limit, so it is taken away.
  const uint64_t soft = Usage("c")->mem_soft_limit_bytes();
  EXPECT_EQ(soft, IsVersionTwo("memory") ? 0 : 64 * kMiB);

  Update(0, 128);
  EXPECT_EQ(Usage("c")->mem_limit_bytes(), 128 * kMiB);
  Update(0, 48);
  EXPECT_EQ(Usage("c")->mem_limit_bytes(), 48 * kMiB);
  // Below the use, only the soft limit is set.
  Update(0, 8);
  std::optional<wire::ResourceStatistics> usage = Usage("c");
  EXPECT_GE(usage->mem_limit_bytes(), 24 * kMiB);
  EXPECT_LE(usage->mem_limit_bytes(), 48 * kMiB);
  EXPECT_EQ(usage->mem_soft_limit_bytes(), 8 * kMiB);
  // The list of an update is complete: without mem there is no limit.
  Update(1, 0);
  EXPECT_FALSE(Usage("c")->has_mem_limit_bytes());

  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  EXPECT_EQ(Wait("c").state(), wire::TASK_FINISHED);
  Update(0, 64);
}

TEST_F(PosixLimitsTest, AnUpdateThatRequiresWhatCannotBeIsRefused) {
  const UniqueFd go = Fifo("go");
  const std::string command =
      "(" + Hold(24) + "; read line < go) | tail > /dev/null";
  flags_ = {"--require_limits"};
  Launch(Limited(command, 1, 64));
  ASSERT_TRUE(
      Eventually([&] { return Usage("c")->mem_anon_bytes() >= 24 * kMiB; }));
  const uint64_t soft = Usage("c")->mem_soft_limit_bytes();
  const Result lowered = TryUpdate("c", 2, 8);
  EXPECT_EQ(WEXITSTATUS(lowered.status), 1);
  EXPECT_THAT(lowered.errors,
              AllOf(HasSubstr("memory"), HasSubstr("8 MiB"),
                    HasSubstr("in use"), HasSubstr("--require_limits")));
  const std::optional<wire::ResourceStatistics> usage = Usage("c");
  EXPECT_EQ(usage->mem_limit_bytes(), 64 * kMiB);
  EXPECT_EQ(usage->mem_soft_limit_bytes(), soft);
  EXPECT_EQ(usage->cpus_limit(), 1);
  EXPECT_EQ(CpuMaximum(), 1);
  Update(2, 48);
  EXPECT_EQ(Usage("c")->mem_limit_bytes(), 48 * kMiB);
  EXPECT_EQ(Usage("c")->cpus_limit(), 2);
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  EXPECT_EQ(Wait("c").state(), wire::TASK_FINISHED);
  Update(2, 8);
  Destroy("c");

  flags_ = {"--cgroups=no"};
  Launch(LaunchOf("c", "exec sleep 1000"));
  flags_ = {"--require_limits"};
  for (const double cpus : {0, 1}) {
    const Result refused = TryUpdate("c", cpus, cpus == 0 ? 64 : 0);
    EXPECT_EQ(WEXITSTATUS(refused.status), 1);
    EXPECT_THAT(refused.errors, AllOf(HasSubstr(cpus == 0 ? "memory" : "cpus"),
                                      HasSubstr("launched without"),
                                      HasSubstr("--require_limits")));
  }
  const auto store = ContainerStore::Open({work_});
  ASSERT_THAT(store, IsOk());
  EXPECT_FALSE((*store)->ReadLimits("c").has_cpus());
  EXPECT_FALSE((*store)->ReadLimits("c").has_mem_mib());
  Update(0, 0);
}

TEST_F(PosixLimitsTest, UsageIsCloseToTheTruth) {
  const UniqueFd go = Fifo("go");
  Launch(Limited("i=0; while [ $i -lt 400000 ]; do i=$((i+1)); done; (" +
                     Hold(24) + "; read line < go) | tail > /dev/null",
                 2, 128));
  std::optional<wire::ResourceStatistics> usage;
  ASSERT_TRUE(Eventually([&] {
    usage = Usage("c");
    // Two shells and tail are left; head has ended. The total is read before
    // its parts, so it is less while tail grows.
    return usage->mem_anon_bytes() >= 24 * kMiB && usage->processes() == 3 &&
           usage->mem_total_bytes() >= usage->mem_anon_bytes();
  }));
  EXPECT_EQ(usage->mem_rss_bytes(), usage->mem_anon_bytes());
  EXPECT_EQ(usage->threads(), 3u);
  const double used =
      usage->cpus_user_time_secs() + usage->cpus_system_time_secs();
  EXPECT_GT(used, 0.05);
  // /proc says the same about these processes.
  const std::optional<wire::ResourceStatistics> tree =
      UsageBelow(Records("c").launch->supervisor);
  ASSERT_TRUE(tree.has_value());
  EXPECT_NEAR(tree->cpus_user_time_secs() + tree->cpus_system_time_secs(), used,
              0.05 + used / 10);
  // /proc counts pages of files, too.
  EXPECT_NEAR(static_cast<double>(tree->mem_rss_bytes()),
              static_cast<double>(usage->mem_anon_bytes()), 8.0 * kMiB);
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  Wait("c");
  usage = Usage("c");
  EXPECT_GE(usage->cpus_user_time_secs() + usage->cpus_system_time_secs(),
            used);
  EXPECT_EQ(usage->processes(), 0u);
}

TEST_F(PosixLimitsTest, DestroyFindsWhatHidFromTheSupervisorAndTheToken) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c",
                  "(env -i setsid sh -c 'trap \"\" TERM; echo $$ > ready; "
                  "exec sleep 1000' &); exec sleep 1000"));
  const pid_t hidden = atoi(ReadLine(ready).c_str());
  const LaunchRecord launch = Records("c").launch.value();
  ASSERT_TRUE(SignalProcess(launch.supervisor, SIGKILL));
  AwaitEnd(launch.supervisor.pid);
  ASSERT_TRUE(SignalProcess(launch.task, SIGKILL));
  AwaitEnd(launch.task.pid);
  const auto found =
      ProcessesWith(absl::StrCat(kTokenVariable, "=", launch.token));
  for (const ProcStat& process : *found) EXPECT_NE(process.pid, hidden);
  EXPECT_THAT(Cgroups(), Not(IsEmpty()));
  ASSERT_TRUE(Runs(hidden));
  Destroy("c");
  EXPECT_FALSE(Runs(hidden));
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_THAT(Cgroups(), IsEmpty());
}

TEST_F(PosixLimitsTest, OfADamagedFileTheCgroupsLeadToWhatHides) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c",
                  "exec env -i sh -c 'trap \"\" TERM; echo $$ > ready; "
                  "exec sleep 1000'"));
  const pid_t hidden = atoi(ReadLine(ready).c_str());
  const LaunchRecord launch = Records("c").launch.value();
  ASSERT_TRUE(SignalProcess(launch.supervisor, SIGKILL));
  AwaitEnd(launch.supervisor.pid);
  DamageLaunch("c");
  ASSERT_TRUE(Runs(hidden));
  EXPECT_EQ(Start("destroy", About<wire::Destroy>("c")).Finish().status, 0);
  EXPECT_FALSE(Runs(hidden));
  EXPECT_THAT(List(), IsEmpty());
  EXPECT_THAT(Cgroups(), IsEmpty());
}

TEST_F(PosixLimitsTest, ATaskMayHaveCgroupsOfItsOwn) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf(
      "c",
      "for d in /sys/fs/cgroup /sys/fs/cgroup/*; do for c in $(cat "
      "/proc/self/cgroup); do "
      "p=$d${c##*:}; case $p in *posix-*) if [ -d $p ]; then "
      "mkdir -p $p/mine/deep && echo $$ > $p/mine/deep/cgroup.procs; fi; esac; "
      "done; done; echo $$ > ready; exec sleep 1000"));
  const pid_t task = atoi(ReadLine(ready).c_str());
  EXPECT_THAT(ReadFile(absl::StrCat("/proc/", task, "/cgroup")),
              HasSubstr("/mine/deep"));
  Destroy("c");
  EXPECT_FALSE(Runs(task));
}

TEST_F(PosixLimitsTest, ProcessesThatForkAndEndForEverAreDestroyed) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c",
                  "export A='trap \"\" TERM; setsid sh -c \"$A\" & exit'; "
                  "for i in 1 2 3 4 5 6 7 8; do sh -c \"$A\" & done; "
                  "echo > ready; exec sleep 1000"));
  ReadLine(ready);
  const ProcessIdentity supervisor = Records("c").launch->supervisor;
  ASSERT_TRUE(SignalProcess(supervisor, SIGKILL));
  AwaitEnd(supervisor.pid);
  flags_ = {"--grace=0s"};
  Destroy("c");
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(PosixLimitsTest, NoMoreProcessesThanAllowed) {
  flags_ = {"--pids_max=20"};
  Launch(LaunchOf(
      "c", "i=0; while [ $i -lt 30 ]; do sleep 1000 & i=$((i+1)); done"));
  EXPECT_THAT(wire::ExitOf(Wait("c")), Not(Exited(0)));
  EXPECT_THAT(ReadFile(sandbox_ + "/stderr"), HasSubstr("fork"));
}

TEST_F(PosixLimitsTest, AgentsContainersOfOneNameAreSeparate) {
  Launch(Limited("exec sleep 1000", 0, 64));
  const std::vector<std::string> first = Cgroups();
  const ProcessIdentity task = Records("c").launch->task;
  const std::string work = work_;
  work_ = base_ + "/other";
  ASSERT_EQ(mkdir(work_.c_str(), 0755), 0);
  environment_["MESOS_WORK_DIRECTORY"] = work_;
  Launch(Limited("exec sleep 1000", 0, 32));
  EXPECT_THAT(Cgroups(), Not(IsEmpty()));
  for (const std::string& cgroup : Cgroups()) {
    EXPECT_THAT(first, Not(Contains(cgroup)));
  }
  EXPECT_EQ(Usage("c")->mem_limit_bytes(), 32 * kMiB);
  Destroy("c");
  EXPECT_THAT(Cgroups(), IsEmpty());
  work_ = work;
  environment_["MESOS_WORK_DIRECTORY"] = work_;
  EXPECT_EQ(Cgroups(), first);
  EXPECT_TRUE(Runs(task.pid));
  EXPECT_EQ(Usage("c")->mem_limit_bytes(), 64 * kMiB);
}

TEST_F(PosixLimitsTest, RequiredLimitsThatCannotBeEnforcedFailTheLaunch) {
  flags_ = {"--require_limits"};
  Launch(Limited("exit 3", 1, 64));
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(3));
  Destroy("c");
  flags_ = {"--require_limits", "--cgroups=no"};
  EXPECT_THAT(FailedLaunch(Limited("exit 3", 0, 64)),
              AllOf(HasSubstr("memory"), HasSubstr("--require_limits"),
                    HasSubstr("--cgroups=no")));
  Launch(LaunchOf("c", "exit 4"));
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(4)) << "nothing was to be enforced";
  Destroy("c");
  flags_ = {"--require_limits", "--cgroup_parent=/not/there"};
  EXPECT_THAT(FailedLaunch(Limited("exit 3", 0, 64)), HasSubstr("/not/there"));
}

TEST_F(PosixLimitsTest, TheUsersTaskIsLimitedToo) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may become another user";
  wire::Launch launch = Limited(Hold(96) + " | tail > /dev/null", 0, 32);
  launch.set_user("daemon");
  Launch(launch);
  EXPECT_THAT(
      Wait("c").reasons(),
      ElementsAre(wire::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY));
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Most tests have files that look like cgroups, since no machine has a
// controller in both versions. posix_limits_test has the kernel's cgroups.

#include "external_containerizer/containerizer/posix/cgroup_limits.h"

#include <stdlib.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/cgroup_hierarchies.h"
#include "external_containerizer/containerizer/posix/cgroup_parent_testing.h"
#include "external_containerizer/containerizer/posix/container_cgroups.h"
#include "external_containerizer/containerizer/posix/small_files.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::HasSubstr;

class CgroupLimitsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "/limits_XXXXXX";
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
  }

  void Fill(const std::map<std::string, std::string>& files) {
    for (const auto& file : files) {
      std::ofstream(path_ + "/" + file.first) << file.second;
    }
  }

  // Ordinary files keep the end of longer contents; the kernel's do not.
  std::string Line(const std::string& file) {
    const std::string text =
        ReadSmallFile(path_ + "/" + file).value_or("nothing");
    return text.substr(0, text.find('~'));
  }

  ContainerCgroups Cgroups(bool unified) {
    ContainerCgroup cgroup;
    cgroup.set_unified(unified);
    for (const char* controller : {"memory", "cpu", "cpuacct", "pids"}) {
      cgroup.add_controllers(controller);
    }
    cgroup.set_path(path_);
    return {cgroup};
  }

  std::string path_;
};

TaskEnd MemoryEvents(const ContainerCgroups& cgroups) {
  TaskEnd end;
  ReadMemoryEvents(cgroups, end);
  return end;
}

TEST_F(CgroupLimitsTest, VersionTwoGetsItsLimits) {
  Fill({{"memory.max", "~~~~~~~~~~"},
        {"memory.high", "~~~~~~~~~~"},
        {"memory.swap.max", "~~~~~~~~~~"},
        {"memory.current", "4096"},
        {"cpu.weight", "~~~~~"},
        {"cpu.max", "~~~~~~~~~~~~~~~~"},
        {"pids.max", "~~~~~"}});
  CgroupLimits limits;
  limits.memory_bytes = 64 << 20;
  limits.cpus = 0.5;
  limits.pids = 77;
  EXPECT_THAT(SetCgroupLimits(Cgroups(true), limits), IsOk());
  EXPECT_EQ(Line("memory.max"), "67108864");
  EXPECT_EQ(Line("memory.high").substr(0, 3), "max");
  EXPECT_EQ(Line("memory.swap.max"), "0");
  EXPECT_EQ(Line("cpu.weight"), "20");
  EXPECT_EQ(Line("cpu.max"), "50000 100000");
  EXPECT_EQ(Line("pids.max"), "77");
}

TEST_F(CgroupLimitsTest, VersionTwoIsNotLoweredBelowWhatIsInUse) {
  Fill({{"memory.max", "67108864"},
        {"memory.high", "~~~~~~~~~~"},
        {"memory.swap.max", "~~~~~~~~~~"},
        {"memory.reclaim", "~~~~~~~~~~"},
        {"memory.current", "50000000"}});
  CgroupLimits limits;
  limits.memory_bytes = 32 << 20;
  ContainerCgroups cgroups = Cgroups(true);
  cgroups[0].clear_controllers();
  cgroups[0].add_controllers("memory");
  EXPECT_THAT(SetCgroupLimits(cgroups, limits), IsOk());
  EXPECT_EQ(Line("memory.max"), "67108864");
  EXPECT_EQ(Line("memory.high"), "33554432");
  EXPECT_EQ(Line("memory.reclaim"), "18542720");
  // The use may grow in the next moment, so a margin stays.
  limits.memory_bytes = 48 << 20;
  Fill({{"memory.high", "~~~~~~~~~~"}});
  EXPECT_THAT(SetCgroupLimits(cgroups, limits), IsOk());
  EXPECT_EQ(Line("memory.max"), "67108864");
  EXPECT_EQ(Line("memory.high"), "50331648");
  Fill({{"memory.high", "~~~~~~~~~~"}, {"memory.current", "47185920"}});
  EXPECT_THAT(SetCgroupLimits(cgroups, limits), IsOk());
  EXPECT_EQ(Line("memory.max"), "50331648");
  EXPECT_EQ(Line("memory.high").substr(0, 3), "max");
}

TEST_F(CgroupLimitsTest, OfVersionTwoWhatGrowsIsSlowedDownBeforeTheHardLimit) {
  Fill({{"memory.high", "~~~~~~~~~~"},
        {"memory.swap.max", "~~~~~~~~~~"},
        {"memory.current", "1000"},
        {"readable", "max"}});
  // A link can be read, but not written through.
  ASSERT_EQ(symlink("readable", (path_ + "/memory.max").c_str()), 0);
  CgroupLimits limits;
  limits.memory_bytes = 48 << 20;
  ContainerCgroups cgroups = Cgroups(true);
  cgroups[0].clear_controllers();
  cgroups[0].add_controllers("memory");
  EXPECT_THAT(SetCgroupLimits(cgroups, limits),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("/memory.max to 50331648")));
  EXPECT_EQ(Line("memory.high"), "47185920");
}

TEST_F(CgroupLimitsTest, NoLimitIsSaidInEachVersionsWords) {
  Fill({{"memory.max", "67108864"},
        {"memory.high", "~~~~~~~~~~"},
        {"memory.swap.max", "~~~~~~~~~~"},
        {"cpu.weight", "~~~~~"},
        {"cpu.max", "~~~~~~~~~~~~~~~~"}});
  EXPECT_THAT(SetCgroupLimits(Cgroups(true), CgroupLimits()), IsOk());
  EXPECT_EQ(Line("memory.max").substr(0, 3), "max");
  EXPECT_EQ(Line("cpu.weight"), "39");
  EXPECT_EQ(Line("cpu.max"), "max 100000");
  Fill({{"memory.limit_in_bytes", "67108864"},
        {"memory.soft_limit_in_bytes", "~~~~~~~~~~"},
        {"cpu.shares", "~~~~~"},
        {"cpu.cfs_period_us", "~~~~~"},
        {"cpu.cfs_quota_us", "~~~~~"}});
  EXPECT_THAT(SetCgroupLimits(Cgroups(false), CgroupLimits()), IsOk());
  EXPECT_EQ(Line("memory.limit_in_bytes").substr(0, 2), "-1");
  EXPECT_EQ(Line("memory.soft_limit_in_bytes"), "-1");
  EXPECT_EQ(Line("cpu.shares"), "1024");
  EXPECT_EQ(Line("cpu.cfs_quota_us"), "-1");
}

TEST_F(CgroupLimitsTest, TooLittleAndTooMuchAreBounded) {
  Fill({{"memory.limit_in_bytes", "67108864"},
        {"memory.soft_limit_in_bytes", "~~~~~~~~~~"},
        {"cpu.shares", "~~~~~~~"},
        {"cpu.cfs_period_us", "~~~~~~"},
        {"cpu.cfs_quota_us", "~~~~~~~~~~~~~"}});
  CgroupLimits limits;
  limits.memory_bytes = 1;
  limits.cpus = 1e-9;
  EXPECT_THAT(SetCgroupLimits(Cgroups(false), limits), IsOk());
  EXPECT_EQ(Line("memory.soft_limit_in_bytes"), "4194304");
  EXPECT_EQ(Line("cpu.shares"), "2");
  EXPECT_EQ(Line("cpu.cfs_quota_us"), "1000");
  limits.cpus = 1e300;
  EXPECT_THAT(SetCgroupLimits(Cgroups(false), limits), IsOk());
  EXPECT_EQ(Line("cpu.shares"), "262144");
  EXPECT_EQ(Line("cpu.cfs_quota_us"), "10000000000");
}

TEST_F(CgroupLimitsTest, AFileThatIsMissingIsNamed) {
  CgroupLimits limits;
  limits.cpus = 1;
  ContainerCgroups cgroups = Cgroups(true);
  cgroups[0].clear_controllers();
  cgroups[0].add_controllers("cpu");
  EXPECT_THAT(SetCgroupLimits(cgroups, limits),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr(path_ + "/cpu.weight")));
  EXPECT_THAT(SetCgroupLimits({}, limits), IsOk());
}

TEST_F(CgroupLimitsTest, VersionTwoIsRead) {
  Fill({{"memory.current", "1000"},
        {"memory.swap.current", "24"},
        {"memory.max", "max"},
        {"memory.high", "2048"},
        {"memory.stat",
         "anon 100\nfile 200\nkernel 300\nfile_mapped 50\nunevictable 5\n"},
        {"memory.peak", "1500"},
        {"memory.events", "low 0\nhigh 9\nmax 3\noom 2\noom_kill 1\n"},
        {"cpu.stat",
         "usage_usec 70\nuser_usec 50\nsystem_usec 20\nnr_periods 9\n"
         "nr_throttled 4\nthrottled_usec 1234\n"},
        {"cgroup.procs", "1\n2\n"},
        {"cgroup.threads", "1\n2\n3\n"}});
  const wire::ResourceStatistics usage = ReadCgroupUsage(Cgroups(true));
  EXPECT_EQ(usage.mem_total_bytes(), 1000u);
  EXPECT_EQ(usage.mem_total_memsw_bytes(), 1024u);
  EXPECT_EQ(usage.mem_anon_bytes(), 100u);
  EXPECT_EQ(usage.mem_file_bytes(), 200u);
  EXPECT_EQ(usage.mem_mapped_file_bytes(), 50u);
  EXPECT_EQ(usage.mem_unevictable_bytes(), 5u);
  EXPECT_FALSE(usage.has_mem_limit_bytes());
  EXPECT_EQ(usage.mem_soft_limit_bytes(), 2048u);
  EXPECT_DOUBLE_EQ(usage.cpus_user_time_secs(), 5e-05);
  EXPECT_DOUBLE_EQ(usage.cpus_system_time_secs(), 2e-05);
  EXPECT_EQ(usage.cpus_nr_periods(), 9u);
  EXPECT_EQ(usage.cpus_nr_throttled(), 4u);
  EXPECT_DOUBLE_EQ(usage.cpus_throttled_time_secs(), 0.001234);
  EXPECT_EQ(usage.processes(), 2u);
  EXPECT_EQ(usage.threads(), 3u);
  const TaskEnd events = MemoryEvents(Cgroups(true));
  EXPECT_EQ(events.memory_kills(), 1u);
  EXPECT_TRUE(events.memory_at_limit());
  EXPECT_EQ(events.memory_peak_bytes(), 1500u);
  EXPECT_EQ(events.memory_limit_bytes(), 0u);
}

TEST_F(CgroupLimitsTest, VersionOneIsRead) {
  Fill({{"memory.usage_in_bytes", "1000"},
        {"memory.memsw.usage_in_bytes", "1001"},
        {"memory.limit_in_bytes", "9223372036854771712"},
        {"memory.soft_limit_in_bytes", "4096"},
        {"memory.stat",
         "cache 1\nrss 2\ntotal_cache 200\ntotal_rss 100\n"
         "total_mapped_file 50\ntotal_swap 1\ntotal_unevictable 5\n"},
        {"cpu.stat", "nr_periods 9\nnr_throttled 4\nthrottled_time 1234567\n"},
        {"cpuacct.usage", "80000000"},
        {"cpuacct.stat", "user 6\nsystem 2\n"},
        {"cgroup.procs", "1\n"},
        {"tasks", "1\n2\n"}});
  const wire::ResourceStatistics usage = ReadCgroupUsage(Cgroups(false));
  EXPECT_EQ(usage.mem_total_bytes(), 1000u);
  EXPECT_EQ(usage.mem_total_memsw_bytes(), 1001u);
  EXPECT_EQ(usage.mem_anon_bytes(), 100u);
  EXPECT_EQ(usage.mem_file_bytes(), 200u);
  EXPECT_FALSE(usage.has_mem_limit_bytes());
  EXPECT_EQ(usage.mem_soft_limit_bytes(), 4096u);
  EXPECT_DOUBLE_EQ(usage.cpus_user_time_secs(), 0.06);
  EXPECT_DOUBLE_EQ(usage.cpus_system_time_secs(), 0.02);
  EXPECT_DOUBLE_EQ(usage.cpus_throttled_time_secs(), 0.001234);
  EXPECT_EQ(usage.processes(), 1u);
  EXPECT_EQ(usage.threads(), 2u);
}

TEST_F(CgroupLimitsTest, AReaderSeesWhatHasChanged) {
  Fill({{"memory.current", "1000"}, {"cgroup.procs", "1\n2\n"}});
  CgroupUsageReader reader(Cgroups(true));
  EXPECT_EQ(reader.Read().mem_total_bytes(), 1000u);
  Fill({{"memory.current", "2000"},
        {"memory.max", "3000"},
        {"cgroup.procs", "1\n2\n3\n"}});
  const wire::ResourceStatistics usage = reader.Read();
  EXPECT_EQ(usage.mem_total_bytes(), 2000u);
  EXPECT_EQ(usage.mem_limit_bytes(), 3000u);
  EXPECT_EQ(usage.processes(), 3u);
}

TEST_F(CgroupLimitsTest, LongListsAreCountedToTheirEnd) {
  std::string list;
  for (int i = 0; i < 20000; ++i) list += std::to_string(100000 + i) + "\n";
  Fill({{"cgroup.procs", list}, {"tasks", list}, {"cgroup.threads", list}});
  for (const bool unified : {false, true}) {
    CgroupUsageReader reader(Cgroups(unified));
    for (int i = 0; i < 2; ++i) {
      const wire::ResourceStatistics usage = reader.Read();
      EXPECT_EQ(usage.processes(), 20000u);
      EXPECT_EQ(usage.threads(), 20000u);
    }
  }
}

// Uses the kernel's cgroups: version 1 keeps a list as long as its file is
// open.
TEST_F(CgroupLimitsTest, AReaderSeesProcessesThatCameSinceInEachVersion) {
  CgroupPlan plan = PlanCgroups(FindCgroupHierarchies(), TestCgroupParent(),
                                NewCgroupName(path_), /*want_pids=*/true);
  MakeCgroups(plan);
  if (plan.cgroups.empty()) GTEST_SKIP() << "no cgroup can be made here";
  for (const ContainerCgroup& cgroup : plan.cgroups) {
    CgroupUsageReader reader({cgroup});
    EXPECT_EQ(reader.Read().processes(), 0u) << cgroup.path();
    for (uint32_t i = 1; i <= 3; ++i) {
      const pid_t pid = fork();
      if (pid == 0) {
        while (true) pause();
      }
      ASSERT_EQ(
          WriteSmallFile(cgroup.path() + "/cgroup.procs", std::to_string(pid)),
          0);
      EXPECT_EQ(reader.Read().processes(), i) << cgroup.path();
      EXPECT_EQ(reader.Read().threads(), i) << cgroup.path();
    }
    EXPECT_THAT(KillCgroups({cgroup}, absl::Seconds(10)), IsOk());
    for (int i = 0; i < 3; ++i) EXPECT_GT(wait(nullptr), 0);
    EXPECT_EQ(reader.Read().processes(), 0u) << cgroup.path();
    EXPECT_THAT(RemoveCgroups({cgroup}, absl::Seconds(10)), IsOk());
    EXPECT_FALSE(reader.Read().has_processes()) << cgroup.path();
  }
}

TEST_F(CgroupLimitsTest, AKillWithoutTheLimitIsSomebodyElses) {
  const std::string mib64 = "67108864";
  Fill({{"memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"},
        {"memory.limit_in_bytes", mib64},
        {"memory.max_usage_in_bytes", "30000000"}});
  TaskEnd events = MemoryEvents(Cgroups(false));
  EXPECT_EQ(events.memory_kills(), 1u);
  EXPECT_FALSE(events.memory_at_limit());
  Fill({{"memory.max_usage_in_bytes", "67100672"}});
  events = MemoryEvents(Cgroups(false));
  EXPECT_TRUE(events.memory_at_limit());
  EXPECT_EQ(events.memory_limit_bytes(), 64u << 20);
  Fill({{"memory.oom_control", "oom_kill 0\n"}});
  EXPECT_FALSE(MemoryEvents(Cgroups(false)).memory_at_limit());
  Fill({{"memory.events", "oom 0\noom_kill 1\n"}});
  EXPECT_FALSE(MemoryEvents(Cgroups(true)).memory_at_limit());
  Fill({{"memory.events", "oom 2\noom_kill 1\n"}});
  EXPECT_TRUE(MemoryEvents(Cgroups(true)).memory_at_limit());
  // A cgroup below has reached its own limit.
  Fill({{"memory.events.local", "oom 0\noom_kill 0\n"}});
  EXPECT_FALSE(MemoryEvents(Cgroups(true)).memory_at_limit());
  EXPECT_EQ(MemoryEvents(Cgroups(true)).memory_kills(), 1u);
}

TEST_F(CgroupLimitsTest, NoCgroupsAreNoNumbers) {
  EXPECT_EQ(ReadCgroupUsage({}).ByteSizeLong(), 0u);
  EXPECT_EQ(ReadCgroupUsage(Cgroups(true)).ByteSizeLong(), 0u);
  EXPECT_EQ(MemoryEvents({}).memory_kills(), 0u);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

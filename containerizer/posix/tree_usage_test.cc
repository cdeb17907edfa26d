// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/tree_usage.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <optional>
#include <vector>

#include "external_containerizer/containerizer/posix/process_tree.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/process_identity.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

void BurnCpu(double seconds) {
  timespec used;
  do {
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  } while (static_cast<double>(used.tv_sec) +
               static_cast<double>(used.tv_nsec) / 1e9 <
           seconds);
}

TEST(TreeUsageTest, ProcessesAddUpAndZombiesOnlyCountTheirTime) {
  ProcStat running;
  running.state = 'S';
  running.user_ticks = static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  running.children_system_ticks = running.user_ticks;
  running.rss_bytes = 4096;
  running.threads = 3;
  ProcStat zombie = running;
  zombie.state = 'Z';
  const wire::ResourceStatistics usage = UsageOf({running, running, zombie});
  EXPECT_DOUBLE_EQ(usage.cpus_user_time_secs(), 3);
  EXPECT_DOUBLE_EQ(usage.cpus_system_time_secs(), 3);
  EXPECT_EQ(usage.mem_rss_bytes(), 8192u);
  EXPECT_EQ(usage.processes(), 2u);
  EXPECT_EQ(usage.threads(), 6u);
}

TEST(TreeUsageTest, CountsLiveAndReapedDescendantsButNotTheRoot) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t root = fork();
  if (root == 0) {
    // One child has ended. The other lives and has 16 MiB.
    const pid_t ended = fork();
    if (ended == 0) {
      BurnCpu(0.2);
      _exit(0);
    }
    waitpid(ended, nullptr, 0);
    if (fork() == 0) {
      std::vector<char> memory(16 << 20);
      memset(memory.data(), 1, memory.size());
      BurnCpu(0.1);
      (void)!write(ready[1], "", 1);
      while (true) pause();
    }
    while (true) pause();
  }
  char byte;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  const ProcessIdentity id = IdentityOf(root).value();
  const std::optional<wire::ResourceStatistics> usage = UsageBelow(id);
  ASSERT_TRUE(usage.has_value());
  EXPECT_EQ(usage->processes(), 1u);
  EXPECT_EQ(usage->threads(), 1u);
  EXPECT_GE(usage->mem_rss_bytes(), uint64_t{16} << 20);
  EXPECT_GE(usage->cpus_user_time_secs() + usage->cpus_system_time_secs(),
            0.25);

  for (const ProcStat& process : Descendants(root)) {
    SignalProcess(process, SIGKILL);
  }
  kill(root, SIGKILL);
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(root), &info, WEXITED | WNOWAIT),
            0);
  EXPECT_FALSE(UsageBelow(id).has_value()) << "it is a zombie";
  waitpid(root, nullptr, 0);
  EXPECT_FALSE(UsageBelow(id).has_value());
  close(ready[0]);
  close(ready[1]);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_report.h"

#include <signal.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr uint64_t kMiB = 1 << 20;

EndRecord Killed() {
  EndRecord end;
  end.wait_status = SIGKILL;
  end.memory.kills = 1;
  end.memory.at_limit = true;
  end.memory.limit_bytes = 64 * kMiB;
  end.memory.peak_bytes = 64 * kMiB - 4096;
  return end;
}

TEST(ContainerReportTest, AMemoryLimitIsAReasonWithItsNumbers) {
  const wire::Termination termination = TerminationOf(Killed());
  EXPECT_EQ(termination.state(), wire::TASK_FAILED);
  EXPECT_TRUE(termination.killed());
  EXPECT_EQ(termination.status(), SIGKILL);
  EXPECT_THAT(
      termination.reasons(),
      ElementsAre(wire::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY));
  EXPECT_THAT(termination.message(),
              AllOf(HasSubstr("memory limit of 64 MiB reached"),
                    HasSubstr("64.0 MiB were in use")));
}

TEST(ContainerReportTest, WantOfMemoryElsewhereIsNotItsLimit) {
  EndRecord end = Killed();
  end.memory.at_limit = false;
  const wire::Termination termination = TerminationOf(end);
  EXPECT_EQ(termination.state(), wire::TASK_FAILED);
  EXPECT_FALSE(termination.killed());
  EXPECT_THAT(termination.reasons(),
              ElementsAre(wire::TaskStatus::REASON_EXECUTOR_TERMINATED));
  EXPECT_THAT(termination.message(), HasSubstr("the machine"));
}

TEST(ContainerReportTest, DestroyedAndFinishedStayWhatTheyAre) {
  EndRecord end = Killed();
  end.destroyed = true;
  EXPECT_EQ(TerminationOf(end).state(), wire::TASK_KILLED);
  EXPECT_THAT(TerminationOf(end).reasons(), IsEmpty());
  EXPECT_FALSE(TerminationOf(end).killed());
  end.destroyed = false;
  end.wait_status = 0;
  EXPECT_EQ(TerminationOf(end).state(), wire::TASK_FINISHED);
  EXPECT_THAT(TerminationOf(end).message(), HasSubstr("memory limit"));
  end.memory = MemoryEvents();
  EXPECT_THAT(TerminationOf(end).message(), Not(HasSubstr("memory")));
}

TEST(ContainerReportTest, OnlyWhatIsKnownIsSet) {
  wire::ResourceStatistics statistics;
  SetStatistics(CgroupUsage(), &statistics);
  EXPECT_EQ(statistics.ByteSizeLong(), 0u);
  CgroupUsage usage;
  usage.user_microseconds = 1500000;
  usage.anonymous_bytes = 5;
  usage.memory_limit_bytes = 7;
  SetStatistics(usage, &statistics);
  EXPECT_EQ(statistics.cpus_user_time_secs(), 1.5);
  EXPECT_EQ(statistics.mem_rss_bytes(), 5u);
  EXPECT_EQ(statistics.mem_limit_bytes(), 7u);
  EXPECT_FALSE(statistics.has_cpus_nr_periods());
  EXPECT_FALSE(statistics.has_mem_total_bytes());
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

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

TaskEnd KilledTask() {
  TaskEnd end;
  end.set_wait_status(SIGKILL);
  end.set_memory_kills(1);
  end.set_memory_at_limit(1);
  end.set_memory_limit_bytes(64 * kMiB);
  end.set_memory_peak_bytes(64 * kMiB - 4096);
  return end;
}

TEST(ContainerReportTest, AMemoryLimitIsAReasonWithItsNumbers) {
  const wire::Termination termination = TerminationOf(KilledTask());
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
  TaskEnd end = KilledTask();
  end.set_memory_at_limit(0);
  const wire::Termination termination = TerminationOf(end);
  EXPECT_EQ(termination.state(), wire::TASK_FAILED);
  EXPECT_FALSE(termination.killed());
  EXPECT_THAT(termination.reasons(),
              ElementsAre(wire::TaskStatus::REASON_EXECUTOR_TERMINATED));
  EXPECT_THAT(termination.message(), HasSubstr("the machine"));
}

TEST(ContainerReportTest, DestroyedAndFinishedStayWhatTheyAre) {
  TaskEnd end = KilledTask();
  end.set_destroyed(1);
  EXPECT_EQ(TerminationOf(end).state(), wire::TASK_KILLED);
  EXPECT_THAT(TerminationOf(end).reasons(), IsEmpty());
  EXPECT_FALSE(TerminationOf(end).killed());
  end.set_destroyed(0);
  end.set_wait_status(0);
  EXPECT_EQ(TerminationOf(end).state(), wire::TASK_FINISHED);
  EXPECT_THAT(TerminationOf(end).message(), HasSubstr("memory limit"));
  end.set_memory_kills(0);
  EXPECT_THAT(TerminationOf(end).message(), Not(HasSubstr("memory")));
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/clock.h"

#include <time.h>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

TEST(ClockTest, ItIsTheKernelsMonotonicClock) {
  timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  const absl::Duration now = MonotonicNow();
  clock_gettime(CLOCK_MONOTONIC, &after);
  EXPECT_LE(absl::DurationFromTimespec(before), now);
  EXPECT_LE(now, absl::DurationFromTimespec(after));
}

TEST(DeadlineTest, WhatIsOverHasNothingRemaining) {
  for (const absl::Duration timeout :
       {absl::ZeroDuration(), absl::Seconds(-3), -absl::InfiniteDuration()}) {
    const Deadline deadline(timeout);
    EXPECT_TRUE(deadline.Expired());
    EXPECT_EQ(deadline.Remaining(), absl::ZeroDuration());
    EXPECT_EQ(deadline.PollMilliseconds(), 0);
  }
}

TEST(DeadlineTest, NeverDoesNotExpire) {
  const Deadline never(absl::InfiniteDuration());
  EXPECT_FALSE(never.Expired());
  EXPECT_EQ(never.Remaining(), absl::InfiniteDuration());
  EXPECT_EQ(never.PollMilliseconds(), -1);
}

TEST(DeadlineTest, WhatRemainsIsNoMoreThanTheTimeout) {
  const Deadline deadline(absl::Hours(1));
  EXPECT_FALSE(deadline.Expired());
  EXPECT_LE(deadline.Remaining(), absl::Hours(1));
  EXPECT_GT(deadline.Remaining(), absl::Minutes(1));
}

TEST(DeadlineTest, MillisecondsAreRoundedUpAndBounded) {
  // Rounded down, who polls would spin during the last millisecond.
  while (true) {
    const Deadline deadline(absl::Microseconds(900));
    const int milliseconds = deadline.PollMilliseconds();
    if (deadline.Expired()) continue;  // This machine is slow: again.
    EXPECT_EQ(milliseconds, 1);
    break;
  }
  EXPECT_EQ(Deadline(absl::Hours(24 * 365)).PollMilliseconds(),
            24 * 3600 * 1000);
}

}  // namespace
}  // namespace external_containerizer

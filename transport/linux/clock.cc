// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/clock.h"

#include <time.h>

#include <algorithm>

namespace external_containerizer {

absl::Duration MonotonicNow() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return absl::DurationFromTimespec(now);
}

absl::Duration Deadline::Remaining() const {
  return std::max(at_ - MonotonicNow(), absl::ZeroDuration());
}

int Deadline::PollMilliseconds() const {
  const absl::Duration remaining = Remaining();
  if (remaining == absl::InfiniteDuration()) return -1;
  return static_cast<int>(absl::ToInt64Milliseconds(
      std::min(absl::Ceil(remaining, absl::Milliseconds(1)), absl::Hours(24))));
}

}  // namespace external_containerizer

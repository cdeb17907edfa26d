// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The monotonic clock, for all durations: a step of the wall clock does not
// change them.
//
//   const Deadline deadline(absl::Seconds(5));
//   while (!Done()) {
//     if (deadline.Expired()) return absl::DeadlineExceededError("...");
//     poll(&fd, 1, deadline.PollMilliseconds());
//   }

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_CLOCK_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_CLOCK_H_

#include "absl/time/time.h"

namespace external_containerizer {

// Returns the time since a fixed moment before the start of this process
// (CLOCK_MONOTONIC). Thread-safe, and safe in a signal handler.
absl::Duration MonotonicNow();

// A moment on that clock, or never. Copies are cheap.
class Deadline {
 public:
  // The moment `timeout` from now, or never if it is infinite.
  explicit Deadline(absl::Duration timeout) : at_(MonotonicNow() + timeout) {}

  bool Expired() const { return MonotonicNow() >= at_; }

  // The time until the deadline: not negative, and infinite if it is never.
  absl::Duration Remaining() const;

  // The same as a timeout for poll() and epoll_wait(): milliseconds, rounded up
  // and at most a day, or -1 if the deadline is never.
  int PollMilliseconds() const;

  // Whether `a` passes before `b`.
  friend bool operator<(Deadline a, Deadline b) { return a.at_ < b.at_; }

 private:
  absl::Duration at_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_CLOCK_H_

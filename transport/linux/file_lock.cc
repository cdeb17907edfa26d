// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/file_lock.h"

#include <sys/file.h>

#include <cerrno>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/linux/clock.h"

namespace external_containerizer {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(2);
constexpr absl::Duration kPause = absl::Milliseconds(5);

}  // namespace

bool TakeFileLock(int fd) {
  const Deadline deadline(kPatience);
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return false;
    if (deadline.Expired()) {
      errno = EWOULDBLOCK;
      return false;
    }
    absl::SleepFor(kPause);
  }
  return true;
}

}  // namespace external_containerizer

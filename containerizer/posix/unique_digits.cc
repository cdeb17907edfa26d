// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/unique_digits.h"

#include <sys/random.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"

namespace external_containerizer {
namespace posix_internal {

std::string UniqueDigits() {
  uint64_t digits[2] = {};
  if (getrandom(digits, sizeof(digits), GRND_NONBLOCK) !=
      static_cast<ssize_t>(sizeof(digits))) {
    // A filter refuses it, or the machine has only just booted.
    static std::atomic<uint32_t> count{0};
    digits[0] = static_cast<uint64_t>(absl::GetCurrentTimeNanos());
    digits[1] = static_cast<uint64_t>(getpid()) << 32 | count++;
  }
  return absl::StrFormat("%016x%016x", digits[0], digits[1]);
}

}  // namespace posix_internal
}  // namespace external_containerizer

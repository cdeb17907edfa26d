// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/random_name.h"

#include <sys/random.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "external_containerizer/transport/linux/checksum.h"

namespace external_containerizer {

std::string RandomName() {
  uint64_t random = 0;
  if (getrandom(&random, sizeof(random), GRND_NONBLOCK) !=
      static_cast<ssize_t>(sizeof(random))) {
    static std::atomic<uint64_t> count{0};
    random = Checksum(absl::StrCat(getpid(), " ", absl::GetCurrentTimeNanos(),
                                   " ", count++));
  }
  return absl::StrCat(absl::Hex(random, absl::kZeroPad16));
}

}  // namespace external_containerizer

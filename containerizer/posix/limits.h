// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_LIMITS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_LIMITS_H_

#include <optional>

namespace external_containerizer {
namespace posix_internal {

// What a container may use, as far as an agent has said.
struct Limits {
  std::optional<double> cpus;
  std::optional<double> mem_mib;
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_LIMITS_H_

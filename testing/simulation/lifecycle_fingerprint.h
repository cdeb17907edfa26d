// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The whole state of a Lifecycle as text. Equal texts have equal futures,
// except for the numbers of commands, timers and calls, which only grow, so
// that only their order matters.
//
//   if (LifecycleFingerprint::Of(a, {}) == LifecycleFingerprint::Of(b, {})) ...

#ifndef EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_LIFECYCLE_FINGERPRINT_H_
#define EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_LIFECYCLE_FINGERPRINT_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/lifecycle.h"

namespace external_containerizer {

class LifecycleFingerprint {
 public:
  // The new names of containers. A container without one keeps its name.
  using Names = absl::flat_hash_map<ContainerId, ContainerId>;

  static std::string Of(const Lifecycle& of, const Names& names);
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_LIFECYCLE_FINGERPRINT_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/container.h"

namespace external_containerizer {

absl::string_view OrphanPolicyName(OrphanPolicy policy) {
  switch (policy) {
    case OrphanPolicy::kOwn:
      return "own";
    case OrphanPolicy::kAll:
      return "all";
    case OrphanPolicy::kReport:
      return "report";
  }
  return "unknown";
}

absl::string_view ContainerStateName(ContainerState state) {
  switch (state) {
    case ContainerState::kLaunching:
      return "launching";
    case ContainerState::kRunning:
      return "running";
    case ContainerState::kEnded:
      return "ended";
    case ContainerState::kDestroying:
      return "destroying";
    case ContainerState::kGone:
      return "gone";
  }
  return "unknown";
}

}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/options.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace external_containerizer {

absl::Duration Timeouts::Of(Command command) const {
  switch (command) {
    case Command::kLaunch:
      return launch;
    case Command::kUpdate:
      return update;
    case Command::kUsage:
      return usage;
    case Command::kWait:
      return absl::InfiniteDuration();
    case Command::kDestroy:
      return destroy;
    case Command::kContainers:
      return containers;
    case Command::kRecover:
      return recover;
  }
  return absl::InfiniteDuration();
}

absl::Status Validate(const Options& options) {
  const LifecycleOptions& lifecycle = options.lifecycle;
  const Timeouts& timeouts = options.timeouts;
  const std::pair<const char*, size_t> counts[] = {
      {"lifecycle.max_commands", lifecycle.max_commands},
      {"lifecycle.max_waits", lifecycle.max_waits},
      {"lifecycle.max_calls_per_container", lifecycle.max_calls_per_container},
      {"lifecycle.max_calls", lifecycle.max_calls},
      {"lifecycle.max_containers", lifecycle.max_containers},
      {"lifecycle.max_ended", lifecycle.max_ended},
      {"lifecycle.max_orphans_at_once", lifecycle.max_orphans_at_once},
      {"lifecycle.max_attempts",
       static_cast<size_t>(lifecycle.max_attempts > 0)},
      {"lifecycle.max_wait_attempts",
       static_cast<size_t>(lifecycle.max_wait_attempts > 0)},
      {"lifecycle.max_waits_not_started",
       static_cast<size_t>(lifecycle.max_waits_not_started > 0)},
  };
  for (const auto& [name, count] : counts) {
    if (count == 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("option ", name, " must be at least 1"));
    }
  }
  const std::pair<const char*, absl::Duration> times[] = {
      {"timeouts.launch", timeouts.launch},
      {"timeouts.update", timeouts.update},
      {"timeouts.usage", timeouts.usage},
      {"timeouts.destroy", timeouts.destroy},
      {"timeouts.containers", timeouts.containers},
      {"timeouts.recover", timeouts.recover},
      {"lifecycle.launch_grace", lifecycle.launch_grace},
      {"lifecycle.wait_grace", lifecycle.wait_grace},
      {"lifecycle.unlisted_grace", lifecycle.unlisted_grace},
      {"lifecycle.unknown_grace", lifecycle.unknown_grace},
      {"lifecycle.wait_stable", lifecycle.wait_stable},
      {"lifecycle.retry_delay", lifecycle.retry_delay},
  };
  for (const auto& [name, time] : times) {
    if (time < absl::ZeroDuration()) {
      return absl::InvalidArgumentError(
          absl::StrCat("option ", name, " must not be negative, and is ",
                       absl::FormatDuration(time)));
    }
  }
  return absl::OkStatus();
}

}  // namespace external_containerizer

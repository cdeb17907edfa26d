// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_OPTIONS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/records.pb.h"

namespace external_containerizer {

struct PosixOptions {
  // Between SIGTERM and SIGKILL, when a container is destroyed.
  absl::Duration grace = absl::Seconds(3);
  // An executable whose main() calls SupervisorMain() when its first
  // argument is "supervise". Default: this one.
  std::string supervisor = "/proc/self/exe";

  // Whether to make cgroups at all.
  bool cgroups = true;
  // Below which cgroup, named as in /proc/PID/cgroup ("/agents"); it has to
  // exist in every hierarchy that is to be used. Empty: the own one. On
  // version 2 it must have no processes of its own to pass controllers on.
  std::string cgroup_parent;
  // Whether "cpus" is a maximum, too.
  bool cpu_quota = true;
  // Processes and threads of one container.
  std::optional<uint64_t> pids_max;
  // Launch and update fail if they ask for a limit that cannot be enforced.
  bool require_limits = false;
  // Of tasks: no setuid program gives them privileges.
  bool no_new_privileges = false;
  std::vector<posix_internal::ResourceLimit> rlimits;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_OPTIONS_H_

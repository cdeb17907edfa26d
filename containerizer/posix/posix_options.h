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

// The options of posix. posix_flags.cc has the flags for them.
struct PosixOptions {
  // The time between SIGTERM and SIGKILL when a container is destroyed. At most
  // 24 hours.
  absl::Duration grace = absl::Seconds(3);
  // An executable whose main() calls SupervisorMain() when its first
  // argument is "supervise". Default: this one.
  std::string supervisor = "/proc/self/exe";

  // Whether to make cgroups at all.
  bool cgroups = true;
  // The cgroup above all that are made, named as in /proc/PID/cgroup
  // ("/agents"). A hierarchy without it is not used. A cgroup of version 2 must
  // have no process of its own, or it passes no controllers on. Empty: the
  // cgroup of this process.
  std::string cgroup_parent;
  // Whether the resource cpus is a maximum, too, and not only a share.
  bool cpu_quota = true;
  // The most processes and threads of one container.
  std::optional<uint64_t> pids_max;
  // Whether launch and update fail if a limit cannot be enforced.
  bool require_limits = false;
  // Whether a setuid program gives tasks no privileges.
  bool no_new_privileges = false;
  // The resource limits of tasks, in the order in which they are set.
  std::vector<posix_internal::ResourceLimit> rlimits;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_OPTIONS_H_

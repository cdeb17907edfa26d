// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Where this process finds cgroups. Version 1 has a hierarchy per controller
// (or for a few), version 2 one for all; a machine may have both at once, and a
// controller is then in one of them. Everything is read from
// /proc/self/mountinfo and /proc/self/cgroup: no mount point is taken for
// granted.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_HIERARCHIES_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_HIERARCHIES_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"

namespace external_containerizer {
namespace posix_internal {

struct CgroupHierarchy {
  bool unified = false;  // version 2
  // Of version 1, as the kernel names them: {"cpu", "cpuacct"}. Which ones
  // version 2 has, only its files say.
  std::vector<std::string> controllers;
  std::string root;         // the cgroup that is mounted at mount_point
  std::string mount_point;  // an absolute path
  std::string own;          // the cgroup of this process, as /proc names it
  bool writable = false;    // not mounted read-only
};

// Says whether the path `mount_point` leads to the mount with the number `id`
// (the first field of its line). It does not where a later mount covers it.
using IsReachable =
    absl::FunctionRef<bool(const std::string& mount_point, int id)>;

// Hierarchies that have no controller (name=systemd) are left out, and so are
// those that are mounted nowhere. A hierarchy may be mounted at several places,
// some of which belong to a chroot or to a container of somebody else's. Only
// mounts that are reachable and have `own` in them count. The best of them is
// writable, shows the whole hierarchy, is below /sys/fs/cgroup, and comes
// first, in this order. Lines that make no sense are passed over.
std::vector<CgroupHierarchy> ParseCgroupHierarchies(
    const std::string& mountinfo, const std::string& cgroups,
    IsReachable is_reachable);

// Of this process, now. Empty if there are none.
std::vector<CgroupHierarchy> FindCgroupHierarchies();

// The directory of a cgroup that is named as /proc/PID/cgroup names it;
// nullopt if it is not below what is mounted, as in a namespace.
std::optional<std::string> CgroupPath(const CgroupHierarchy& hierarchy,
                                      const std::string& cgroup);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_HIERARCHIES_H_

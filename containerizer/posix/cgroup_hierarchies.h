// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Finds where cgroups are mounted for this process. Version 1 has a hierarchy
// per controller, or for a few controllers; version 2 has one hierarchy for
// all. A machine may have both versions at once; each controller is then in one
// of them. The source is /proc/self/mountinfo and /proc/self/cgroup, so cgroups
// may be mounted anywhere.
//
//   for (const CgroupHierarchy& hierarchy : FindCgroupHierarchies()) {
//     std::optional<std::string> directory = CgroupPath(hierarchy, "/agents");
//     ...
//   }

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
  // Version 1 only, as the kernel names them: {"cpu", "cpuacct"}. The
  // controllers of version 2 are in its file cgroup.controllers.
  std::vector<std::string> controllers;
  std::string root;         // the cgroup that is mounted at mount_point
  std::string mount_point;  // an absolute path
  std::string own;          // the cgroup of this process, as /proc names it
  bool writable = false;    // not mounted read-only
};

// Returns whether the path `mount_point` leads to the mount with the number
// `id`, which is the first field of a line of mountinfo. The path leads
// elsewhere if a later mount covers it.
using IsReachable =
    absl::FunctionRef<bool(const std::string& mount_point, int id)>;

// Parses the two files. The result leaves out hierarchies without a controller
// (name=systemd) and hierarchies that are not mounted. A hierarchy may be
// mounted at several places, and a few of these may belong to a chroot or to a
// foreign container. A mount counts if it is reachable and `own` is below it.
// The best mount is writable, then shows the whole hierarchy, then is below
// /sys/fs/cgroup, then comes first. Lines that cannot be parsed are skipped.
std::vector<CgroupHierarchy> ParseCgroupHierarchies(
    const std::string& mountinfo, const std::string& cgroups,
    IsReachable is_reachable);

// Returns the hierarchies of this process. Empty if it sees none.
std::vector<CgroupHierarchy> FindCgroupHierarchies();

// Returns the directory of a cgroup that is named as /proc/PID/cgroup names it.
// nullopt if the cgroup is outside the part that is mounted, as in a namespace.
std::optional<std::string> CgroupPath(const CgroupHierarchy& hierarchy,
                                      const std::string& cgroup);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_HIERARCHIES_H_

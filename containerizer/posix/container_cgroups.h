// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Makes, ends and removes the cgroups of one container. A container has one
// directory in each hierarchy that is of use to it. The name of the directory
// is new for every launch, so it cannot be mistaken for another container's.
// All processes in these cgroups belong to the container, and so do the cgroups
// that its task has made below them.
//
// A container gets a cgroup of version 2 whenever that can be made, because one
// write then kills all that is in it. It gets cgroups of version 1 for memory
// and cpu, for cpuacct if version 2 does not count the time, and for pids if a
// maximum is set or if version 2 is not there. It gets none for the freezer: an
// operator who freezes a cgroup above ours has to thaw it.
//
//   CgroupPlan plan = PlanCgroups(FindCgroupHierarchies(), "",
//                                 NewCgroupName(work_directory), false);
//   ...  // Write down plan.cgroups, so that a crash does not lose them.
//   MakeCgroups(plan);
//   ...
//   absl::Status ended = KillCgroups(plan.cgroups, absl::Seconds(5));
//   if (ended.ok()) ended = RemoveCgroups(plan.cgroups, absl::Seconds(2));
//
// All functions are thread-safe. Timeouts are on the monotonic clock.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_CGROUPS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_CGROUPS_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/cgroup_hierarchies.h"
#include "external_containerizer/containerizer/posix/cgroup_version.h"

namespace external_containerizer {
namespace posix_internal {

struct CgroupPlan {
  ContainerCgroups cgroups;
  // Why the container will not have a controller (memory, cpu, pids), by its
  // name.
  std::map<std::string, std::string> missing;
  std::string unified_own;  // this process's own directory in version 2
};

// Plans cgroups with the name `name`, and makes nothing. `parent` is the cgroup
// above them in all hierarchies, named as in /proc/PID/cgroup; empty for this
// process's own. `want_pids` asks for the controller pids.
CgroupPlan PlanCgroups(const std::vector<CgroupHierarchy>& hierarchies,
                       const std::string& parent, const std::string& name,
                       bool want_pids);

// Returns "posix-", a hash of `work_directory`, and 128 random bits.
std::string NewCgroupName(const std::string& work_directory);

// Makes the cgroups of the plan. Returns false if one of them, or a controller,
// cannot be had: it then moves from `cgroups` to `missing`. Turns on
// controllers in a parent of version 2. Changes nothing else.
bool MakeCgroups(CgroupPlan& plan);

// Returns the files to which a process writes "0" in order to join the cgroups.
std::vector<std::string> ProcsFiles(const ContainerCgroups& cgroups);

// Sends SIGKILL to all processes in the cgroups until none is left. Blocks for
// processes that cannot die yet; DEADLINE_EXCEEDED after `timeout`. A cgroup
// that does not exist has no processes.
absl::Status KillCgroups(const ContainerCgroups& cgroups,
                         absl::Duration timeout);

// Sends SIGKILL once. Returns false if no process was left.
bool KillCgroupsOnce(const ContainerCgroups& cgroups);

// Removes the cgroups and all cgroups below them. None may have a process. They
// may be gone already. Blocks while the kernel needs a moment.
// FAILED_PRECONDITION after `timeout`, with the reason; if the reason is the
// number of cgroups below, the next call removes more of them.
absl::Status RemoveCgroups(const ContainerCgroups& cgroups,
                           absl::Duration timeout);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_CGROUPS_H_

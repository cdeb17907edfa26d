// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The cgroups of one container: a directory in each hierarchy that is of use.
// The directory's name is new for every launch, so nobody else's can be meant.
// All that is in them belongs to the container, also cgroups that its task has
// made below.
//
// Of version 2 there is always one, if it can be made, whatever controllers it
// has: killing all that is in it is one write. Of version 1 those of memory and
// cpu, of cpuacct where version 2 does not count the time, and of pids if a
// maximum is set or version 2 is not there to kill with. None of freezer: what
// an operator freezes above us, an operator thaws.

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
  // By controller (memory, cpu, pids): why the container will not have it.
  std::map<std::string, std::string> missing;
  std::string unified_own;  // the directory of this process's own, version 2
};

// Where cgroups called `name` would be: below the cgroup `parent`, named as in
// /proc/PID/cgroup and the same in all hierarchies, or, if that is empty, below
// this process's own.
CgroupPlan PlanCgroups(const std::vector<CgroupHierarchy>& hierarchies,
                       const std::string& parent, const std::string& name,
                       bool want_pids);

// "posix-", a hash of `work_directory`, and 128 random bits.
std::string NewCgroupName(const std::string& work_directory);

// Makes them. False if something cannot be made: it moves from `cgroups` to `missing`; below a
// parent of version 2, controllers are turned on that are not yet. Nothing but
// this and the new directories is changed.
bool MakeCgroups(CgroupPlan& plan);

// The files that a process joins them by, with a "0".
std::vector<std::string> ProcsFiles(const ContainerCgroups& cgroups);

// SIGKILL to all that is in them, as often as it takes. It may have to wait for
// processes that cannot die yet: DEADLINE_EXCEEDED after `timeout`. Cgroups
// that are not there are empty.
absl::Status KillCgroups(const ContainerCgroups& cgroups,
                         absl::Duration timeout);

// One round of it. Returns false if nothing was left to kill.
bool KillCgroupsOnce(const ContainerCgroups& cgroups);

// Removes them, which must be empty but for cgroups below, and may be gone.
// The kernel may need a moment. FAILED_PRECONDITION, with the reason; if that
// is the number of cgroups below, the next call goes on.
absl::Status RemoveCgroups(const ContainerCgroups& cgroups,
                           absl::Duration timeout);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_CGROUPS_H_

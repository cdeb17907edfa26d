// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The processes of a container, as others than its supervisor find and end
// them.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_PROCESSES_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_PROCESSES_H_

#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/process_tree.h"
#include "external_containerizer/transport/linux/process_identity.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {

// A pidfd of a supervisor or a task; invalid if it has ended, also if that was
// before the machine was rebooted. FAILED_PRECONDITION if it cannot be seen
// from here (CanBeSeen()), RESOURCE_EXHAUSTED if that cannot be known now.
absl::StatusOr<UniqueFd> FindProcess(const ProcessIdentity& id);

// Tells a supervisor to end its container. Returns at once.
void TellToTerminate(const UniqueFd& supervisor, absl::Duration grace);

// What runs of a container whose supervisor was killed: the task, the processes
// that have the container's token in their environment, and the descendants of
// these. Not found is what cleared its environment and then lost its parents.
// Errors as above.
absl::StatusOr<std::vector<ProcStat>> Survivors(const LaunchRecord& launch);

// SIGKILL to what `find` finds, until that is nothing twice in a row: in the
// midst of an exec a process has no environment to be found by. Whether there
// was any; DEADLINE_EXCEEDED after 5 s.
absl::StatusOr<bool> KillWhatIsFound(
    absl::FunctionRef<absl::StatusOr<std::vector<ProcStat>>()> find);

// Ends what there is of a container, if its supervisor does not (any more):
// survivors, if it was launched, and all that is in its cgroups, which are
// removed.
absl::Status EndContainer(const ContainerRecords& records);

// The same, if the container's file is damaged (ReadRecords()): of what its
// whole lines say there are cgroups, and of the processes that have the file's
// TokenPrefix(), whoever may be their supervisor. False if there were none, and
// so nobody knows whether that was all.
absl::StatusOr<bool> EndDamagedContainer(int file);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_PROCESSES_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Finds and ends the processes of a container without the help of its
// supervisor.
//
//   const absl::StatusOr<UniqueFd> supervisor =
//       FindProcess(records.launch->supervisor);
//   if (supervisor.ok() && supervisor->valid()) {
//     TellToTerminate(*supervisor, absl::Seconds(3));
//   }
//
// All functions are thread-safe.

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

// Returns a pidfd of a supervisor or a task. The pidfd is invalid if the
// process has ended, be it in an earlier boot. FAILED_PRECONDITION if the
// process cannot be seen from here (CanBeSeen()); RESOURCE_EXHAUSTED for want
// of descriptors or memory.
absl::StatusOr<UniqueFd> FindProcess(const ProcessIdentity& id);

// Tells a supervisor to end its container, with `grace` between SIGTERM and
// SIGKILL. Returns at once.
void TellToTerminate(const UniqueFd& supervisor, absl::Duration grace);

// Returns the processes of a container whose supervisor was killed: the task,
// the processes with the container's token in their environment, and their
// descendants. Zombies are left out. A process that cleared its environment and
// then lost its parent is not found. Errors: as FindProcess().
absl::StatusOr<std::vector<ProcStat>> Survivors(const LaunchRecord& launch);

// Sends SIGKILL to the processes that `find` returns, and blocks until they
// have ended; again, until it returns none twice in a row: a process in the
// midst of an exec has no environment for a moment. Returns whether there was
// any. DEADLINE_EXCEEDED after 5 seconds.
absl::StatusOr<bool> KillWhatIsFound(
    absl::FunctionRef<absl::StatusOr<std::vector<ProcStat>>()> find);

// Ends a container whose supervisor is gone: kills the survivors and all
// processes in its cgroups, and removes the cgroups. Blocks, at most 12
// seconds.
absl::Status EndContainer(const ContainerRecords& records);

// Ends a container whose file is damaged (ReadRecords()): kills the processes
// in the cgroups that can still be read from the file, and the processes with
// the file's TokenPrefix() in their environment. Returns false if there were
// neither: then it is not known whether the container has processes. `file` is
// open.
absl::StatusOr<bool> EndDamagedContainer(int file);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_PROCESSES_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Identifies a process so that it can be written to a file and found later,
// also by another process. A pid alone may belong to another process by then.
//
//   const std::optional<ProcessIdentity> id = IdentityOf(child);
//   ...  // Written down, and read by the next agent.
//   const absl::StatusOr<UniqueFd> pidfd = OpenProcess(*id);
//   if (absl::IsNotFound(pidfd.status())) ...  // It has ended.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_IDENTITY_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_IDENTITY_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {

// Returns the id of this boot, as the kernel writes it: 36 characters. Empty if
// it cannot be read, because /proc/sys is hidden or no descriptor is left: the
// next call tries again. Thread-safe.
std::string BootId();

// Returns the PID namespace in which this process sees others: the inode number
// of /proc/self/ns/pid, or 0 if that cannot be read. Thread-safe.
uint64_t PidNamespace();

struct ProcessIdentity {
  pid_t pid = 0;
  uint64_t start_ticks = 0;  // ProcStat::start_ticks
  // Empty if it was not known when the identity was made.
  std::string boot_id;
  // The namespace of `pid`. 0 in older records, which are taken to belong to
  // the namespace of their reader.
  uint64_t pid_namespace = 0;
};

// Whether both identify the same process. Returns false if one has no boot id.
bool operator==(const ProcessIdentity& a, const ProcessIdentity& b);

// Returns the identity of a process, which may be a zombie, or nullopt, with
// errno, as ReadProcStat().
std::optional<ProcessIdentity> IdentityOf(pid_t pid);

// Returns OK if a process with this identity can be seen from here. NOT_FOUND
// if it ran in an earlier boot, and so has ended. FAILED_PRECONDITION if it may
// run, but belongs to another PID namespace or the boot id is not known; the
// message says which, and what to do.
absl::Status CanBeSeen(const ProcessIdentity& id);

// Opens a pidfd of the process. NOT_FOUND if it has ended and was reaped,
// FAILED_PRECONDITION as above, RESOURCE_EXHAUSTED if no descriptor or memory
// is left.
absl::StatusOr<UniqueFd> OpenProcess(const ProcessIdentity& id);

// The same, if boot and namespace are known to be those of this process.
absl::StatusOr<UniqueFd> OpenProcess(pid_t pid, uint64_t start_ticks);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_IDENTITY_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Which process it is, in a form that can be written down and asked about
// later, by another process too. A pid alone may be another process's by then.
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

// The id of this boot, as the kernel writes it: 36 characters. Empty if it
// cannot be read, because /proc/sys is hidden or no descriptor is left.
// Thread-safe. Is read once, but again if that failed.
std::string BootId();

// The PID namespace in which this process sees others: the inode number of
// /proc/self/ns/pid. 0 if that cannot be read. Thread-safe.
uint64_t PidNamespace();

struct ProcessIdentity {
  pid_t pid = 0;
  uint64_t start_ticks = 0;  // ProcStat::start_ticks
  // Empty if it was not known when this was written down.
  std::string boot_id;
  // In which `pid` counts. 0 if it was not written down: older records have
  // none, and count as of the namespace of the reader.
  uint64_t pid_namespace = 0;
};

// Whether both name the same process. Without a boot id on either side that
// cannot be known, and they do not.
bool operator==(const ProcessIdentity& a, const ProcessIdentity& b);

// The identity of a process that this one sees; a zombie has one. nullopt, with
// errno, as ReadProcStat().
std::optional<ProcessIdentity> IdentityOf(pid_t pid);

// OK if a process with this identity could be seen from here. NOT_FOUND: it has
// ended, for it ran in an earlier boot. FAILED_PRECONDITION: it may run, but
// cannot be seen or recognized, for it counts in another PID namespace, or the
// boot id is not known; the message says which, and what to do.
absl::Status CanBeSeen(const ProcessIdentity& id);

// A pidfd of the process. NOT_FOUND: it has ended and was reaped.
// FAILED_PRECONDITION: as above. RESOURCE_EXHAUSTED: there is no descriptor or
// memory to look.
absl::StatusOr<UniqueFd> OpenProcess(const ProcessIdentity& id);

// The same, where boot and namespace are known to be right.
absl::StatusOr<UniqueFd> OpenProcess(pid_t pid, uint64_t start_ticks);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_IDENTITY_H_

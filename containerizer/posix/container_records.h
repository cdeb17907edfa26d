// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Each container has one file of records (records.h), to which launch appends a
// plan before it makes anything, and the supervisor a start before the task is
// executed, and an end when all is over. Whoever has the file open keeps
// reading it after `destroy` has removed it, so a `wait` that was running
// learns the true end. That is why records are appended and not renamed over
// each other. A record that a crash left half-written counts as none: the file
// says the old or the new.
//
// Files of the first release, which are lines of text, are read too: their
// supervisors append their ends as such lines.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_RECORDS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_RECORDS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/posix/cgroup_version.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/transport/linux/process_identity.h"

namespace external_containerizer {
namespace posix_internal {

// A task that was started.
struct LaunchRecord {
  ProcessIdentity supervisor;
  ProcessIdentity task;
  std::string token;
};

struct ContainerRecords {
  ContainerCgroups cgroups;  // some may be gone, or were never made
  std::optional<LaunchRecord> launch;
  std::optional<TaskEnd> end;
};

// The environment variable, in every task, that names the container by its
// token. It finds processes whose supervisor was killed.
inline constexpr char kTokenVariable[] = "POSIX_CONTAINERIZER_TOKEN";

// FAILED_PRECONDITION if a newer version of posix wrote `contents`. DATA_LOSS
// if neither a start nor a complete end can be read, but there is something
// that no crash can have left.
absl::StatusOr<ContainerRecords> ParseRecords(absl::string_view contents);

// ParseRecords() of the file; `fd` keeps its position. Without a launch nothing
// was started: so RESOURCE_EXHAUSTED if it cannot be read. A file that is
// larger than any container's is not read to the end. A container that was
// launched in another PID namespace, and whose supervisor has ended, is said to
// have a supervisor and a task with the pid 0, which are nobody.
absl::StatusOr<ContainerRecords> ReadRecords(int fd);

// Reads the whole records of a file that is damaged. There may have been more.
ContainerRecords SalvageRecords(int fd);

// What the tokens of all containers begin with that have this very file, as
// long as it is there: so they are found whatever becomes of what is in it.
// Empty if the file cannot be looked at.
std::string TokenPrefix(int fd);

// Appends and makes durable. False, with errno, if it cannot. Nothing is left
// half-written, so it may be tried again.
bool AppendRecord(int fd, const ContainerRecord& record);

// Says, for as long as the calling process lives, that the container of the
// file has a supervisor: to processes that cannot see it, too. False, with
// errno, if that cannot be said.
bool HoldAsSupervisor(int fd);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_RECORDS_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The file of a container: a sequence of records (records.h, records.proto).
// Launch appends a plan before it makes anything. The supervisor appends a
// start before the task is executed, and an end when all is over.
//
// Records are appended, because a process that has the file open reads on after
// `destroy` has removed it: a `wait` that is running learns the true end. A
// record that a crash left half-written does not count, so the file says the
// old or the new.
//
// The first release wrote lines of text (old_records.h). They are read as well,
// and a supervisor of that release appends its end as a line to its file.
//
//   ContainerRecord record;
//   record.mutable_plan()->set_version(kRecordVersion);
//   if (!AppendRecord(file.get(), record)) return absl::ErrnoToStatus(...);
//   const absl::StatusOr<ContainerRecords> records = ReadRecords(file.get());

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_RECORDS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_RECORDS_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/posix/cgroup_version.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/transport/linux/process_identity.h"

namespace external_containerizer {
namespace posix_internal {

// The processes of a task that was started.
struct LaunchRecord {
  ProcessIdentity supervisor;
  ProcessIdentity task;
  std::string token;
};

// All that a container's file says.
struct ContainerRecords {
  ContainerCgroups cgroups;  // each may be gone, or may never have been made
  std::optional<LaunchRecord> launch;
  std::optional<TaskEnd> end;
};

// The environment variable that names the container, by its token, in every
// task. The processes of a killed supervisor are found by it.
inline constexpr char kTokenVariable[] = "POSIX_CONTAINERIZER_TOKEN";

// Parses the contents of a container's file. FAILED_PRECONDITION if a newer
// version of posix wrote them. DATA_LOSS if they are damaged as no crash
// damages a file, and neither a start nor a complete end can be read.
absl::StatusOr<ContainerRecords> ParseRecords(absl::string_view contents);

// Reads and parses a container's file, at most 64 KiB of it. Errors: as
// ParseRecords(), and RESOURCE_EXHAUSTED if the file cannot be read. A
// container of another PID namespace whose supervisor has ended gets the pid 0,
// which is nobody's, for its supervisor and its task.
absl::StatusOr<ContainerRecords> ReadRecords(int fd);

// Reads the records of a file, and skips those that are damaged.
ContainerRecords SalvageRecords(int fd);

// Returns the beginning of the token of the container that has this file. It
// depends on the file alone, so the processes of the container are found if its
// contents are damaged. Empty if the file cannot be looked at.
std::string TokenPrefix(int fd);

// Appends a record and makes it durable. Blocks for the disk. Returns false,
// with errno, if the record cannot be written. The file then is as it was, and
// the caller may try again.
bool AppendRecord(int fd, const ContainerRecord& record);

// Takes the lock of the container's supervisor, for as long as the calling
// process lives. Processes of other PID namespaces see the lock, and not the
// supervisor. Returns false, with errno, if the lock cannot be had.
bool HoldAsSupervisor(int fd);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_RECORDS_H_

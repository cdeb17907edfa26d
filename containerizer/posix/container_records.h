// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What is written down about a container: one file, to which launch appends the
// container's cgroups before they are made, and its supervisor a line when the
// task starts and a line when all is over. Who has the
// file open, keeps reading it after `destroy` has removed it: so a `wait` that
// was running gets the true end. That is why records are appended and not
// renamed over each other. Each line carries a checksum, and a line that a
// crash left half-written counts as none: the file says the old or the new.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_RECORDS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/posix/cgroup_limits.h"
#include "external_containerizer/containerizer/posix/container_cgroups.h"
#include "external_containerizer/containerizer/posix/process.h"

namespace external_containerizer {
namespace posix_internal {

// Written before the task is executed.
struct LaunchRecord {
  ProcessId supervisor;
  ProcessId task;
  std::string boot_id;
  // Marks the task's processes: see kTokenVariable. TokenPrefix(), and
  // hexadecimal digits.
  std::string token;
};

// Written when the task has ended, and once more when all that it had started
// has too; the last one counts.
struct EndRecord {
  int wait_status = 0;             // of the task, as waitpid() gives it
  bool destroyed = false;          // it was told to end
  bool complete = false;           // no process of the container is left
  uint64_t user_microseconds = 0;  // of the whole tree
  uint64_t system_microseconds = 0;
  uint64_t max_rss_bytes = 0;  // of its largest process
  MemoryEvents memory;         // the rest: from its cgroups
  uint64_t periods = 0;
  uint64_t throttled_periods = 0;
  uint64_t throttled_microseconds = 0;
};

struct ContainerRecords {
  // Some may not have been made, or be gone. Of one path the last line counts.
  ContainerCgroups cgroups;
  std::optional<LaunchRecord> launch;
  std::optional<EndRecord> end;
};

// The environment variable, in every task, that names the container by its
// token. It finds processes whose supervisor was killed.
inline constexpr char kTokenVariable[] = "POSIX_CONTAINERIZER_TOKEN";

// Whole lines, to be appended by one write().
std::string RecordLines(const ContainerCgroups& cgroups);
std::string RecordLine(const LaunchRecord& record);
std::string RecordLine(const EndRecord& record);

ContainerRecords ParseRecords(const std::string& contents);

// Reads what is written down; `fd` keeps its position. Without a launch nothing
// was started: so RESOURCE_EXHAUSTED if it cannot be read, DATA_LOSS if there
// is none, nor a complete end, but something that no crash can have left. A
// file that is larger than any container's is not read to the end.
absl::StatusOr<ContainerRecords> ReadRecords(int fd);

// Of a file that is damaged: what its whole lines say. There may have been
// more.
ContainerRecords SalvageRecords(int fd);

// What the tokens of all containers begin with that have this very file, as
// long as it is there: so they are found whatever becomes of what is in it.
// Empty if the file cannot be looked at.
std::string TokenPrefix(int fd);

// Appends a line and makes it durable. False, with errno, if it cannot.
bool AppendRecord(int fd, const std::string& line);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_RECORDS_H_

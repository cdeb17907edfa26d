// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_records.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/posix/old_records.h"
#include "external_containerizer/containerizer/posix/records.h"
#include "external_containerizer/containerizer/posix/small_files.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

// A start and two ends have less than 1 KiB. A plan has at most five cgroups,
// whose paths have less than 2 KiB.
constexpr size_t kMaxFile = 64 << 10;

// The result of reading a file.
struct Contents {
  ContainerRecords records;
  uint32_t version = 0;
  bool damaged = false;
};

Contents Scan(absl::string_view file) {
  Contents contents;
  RecordScanner scanner(file);
  std::optional<LaunchPlan> plan;
  std::optional<TaskStart> start;
  while (const std::optional<absl::string_view> message = scanner.Next()) {
    ContainerRecord record;
    if (!record.ParseFromArray(message->data(),
                               static_cast<int>(message->size()))) {
      contents.damaged = true;
      continue;
    }
    if (record.has_plan()) plan = std::move(*record.mutable_plan());
    if (record.has_start()) start = record.start();
    if (record.has_end()) contents.records.end = record.end();
  }
  if (plan.has_value()) {
    contents.version = plan->version();
    contents.records.cgroups = {plan->cgroups().begin(), plan->cgroups().end()};
  }
  if (plan.has_value() && start.has_value()) {
    LaunchRecord launch;
    launch.token = plan->token();
    launch.supervisor = {static_cast<pid_t>(start->supervisor_pid()),
                         start->supervisor_start_ticks(), plan->boot_id(),
                         plan->pid_namespace()};
    launch.task = {static_cast<pid_t>(start->task_pid()),
                   start->task_start_ticks(), plan->boot_id(),
                   plan->pid_namespace()};
    contents.records.launch = std::move(launch);
  }
  contents.damaged |=
      scanner.damaged() || (start.has_value() && !plan.has_value());
  return contents;
}

// The lock of a supervisor. Its task does not inherit it (close-on-exec).
struct flock SupervisorLock() {
  struct flock lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_len = 1;
  return lock;
}

bool HasSupervisor(int fd) {
  struct flock lock = SupervisorLock();
  // If the lock cannot be looked at, the supervisor counts as running.
  return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

}  // namespace

absl::StatusOr<ContainerRecords> ParseRecords(absl::string_view file) {
  Contents contents;
  if (IsOldFile(file)) {
    contents.damaged = !ParseOldFile(file, contents.records);
  } else {
    contents = Scan(file);
  }
  if (contents.version > kRecordVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the container's file has version ", contents.version,
        ", which a newer posix wrote; this one knows versions up to ",
        kRecordVersion, ": use the newer one"));
  }
  const ContainerRecords& records = contents.records;
  const bool over = records.end.has_value() && records.end->complete() != 0;
  if (contents.damaged && !records.launch.has_value() && !over) {
    return absl::DataLossError(
        "the container's file is damaged, so what runs of it is not known; "
        "destroy it: that ends what can be found");
  }
  return std::move(contents.records);
}

absl::StatusOr<ContainerRecords> ReadRecords(int fd) {
  const std::optional<std::string> contents = ReadSmallFile(fd, kMaxFile);
  if (!contents.has_value()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot read the container's file: ", strerror(errno)));
  }
  absl::StatusOr<ContainerRecords> records = ParseRecords(*contents);
  if (records.ok() && records->launch.has_value() &&
      absl::IsFailedPrecondition(CanBeSeen(records->launch->supervisor)) &&
      !BootId().empty() && !HasSupervisor(fd)) {
    for (ProcessIdentity* id :
         {&records->launch->supervisor, &records->launch->task}) {
      *id = {0, 0, id->boot_id, 0};
    }
  }
  return records;
}

ContainerRecords SalvageRecords(int fd) {
  const std::string file = ReadSmallFile(fd, kMaxFile).value_or("");
  if (!IsOldFile(file)) return Scan(file).records;
  ContainerRecords records;
  ParseOldFile(file, records);
  return records;
}

std::string TokenPrefix(int fd) {
  struct stat status;
  if (fstat(fd, &status) != 0) return "";
  return absl::StrCat(absl::Hex(status.st_dev), "-", absl::Hex(status.st_ino),
                      "-");
}

bool AppendRecord(int fd, const ContainerRecord& record) {
  const std::string bytes = FramedRecord(record.SerializeAsString());
  struct stat before;
  if (fstat(fd, &before) != 0) return false;
  const ssize_t written = write(fd, bytes.data(), bytes.size());
  if (written < 0) return false;
  if (static_cast<size_t>(written) != bytes.size()) {
    // A reader would not find records after a half-written one.
    (void)!ftruncate(fd, before.st_size);
    errno = ENOSPC;
    return false;
  }
  return fsync(fd) == 0;
}

bool HoldAsSupervisor(int fd) {
  struct flock lock = SupervisorLock();
  return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

}  // namespace posix_internal
}  // namespace external_containerizer

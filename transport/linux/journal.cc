// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/linux/checksum.h"
#include "external_containerizer/transport/linux/file_lock.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/process_identity.h"

namespace external_containerizer {
namespace {

constexpr char kName[] = "fork_exec.journal";

// More than the number of processes at once. Bytes beyond are ignored.
constexpr size_t kMaxSlots = size_t{1} << 16;

struct Record {
  uint32_t version;
  int32_t pid;
  uint64_t start_time;
  union {
    unsigned char boot_id[16];  // Version 1 has no namespace.
    struct {
      uint64_t boot;  // The checksum of the boot id; 0 if it was not known.
      uint64_t pid_namespace;
    };
  };
  uint64_t checksum;  // The checksum of the fields above.
};
static_assert(sizeof(Record) == 40, "the file has no padding");

constexpr uint32_t kOldVersion = 1;
constexpr uint32_t kVersion = 2;

uint64_t ChecksumOf(const Record& record) {
  return Checksum(absl::string_view(reinterpret_cast<const char*>(&record),
                                    offsetof(Record, checksum)));
}

// The process of a record. A record has its boot id in a short form, so other
// boots than the present one get an invented id.
ProcessIdentity IdentityIn(const Record& record) {
  const std::string boot = BootId();
  constexpr char kAnother[] = "another";
  ProcessIdentity id;
  id.pid = record.pid;
  id.start_ticks = record.start_time;
  if (record.version == kOldVersion) {
    const std::string hex = absl::BytesToHexString(absl::string_view(
        reinterpret_cast<const char*>(record.boot_id), sizeof(record.boot_id)));
    id.boot_id =
        hex == absl::StrReplaceAll(boot, {{"-", ""}}) ? boot : kAnother;
    return id;
  }
  if (record.boot != 0) {
    id.boot_id = record.boot == Checksum(boot) ? boot : kAnother;
  }
  id.pid_namespace = record.pid_namespace;
  return id;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(
    int directory_fd, const std::string& directory) {
  const std::string path =
      absl::StrCat("\"", absl::CHexEscape(directory), "/", kName, "\"");
  UniqueFd file(openat(directory_fd, kName,
                       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                       0600));
  if (!file.valid()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot open the journal of processes ", path, ": ", strerror(errno)));
  }
  struct stat info;
  if (fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the journal of processes ", path, " is not a file"));
  }
  if (!TakeFileLock(file.get())) {
    return absl::FailedPreconditionError(
        errno == EWOULDBLOCK
            ? absl::StrCat("another agent is using ", path,
                           "; every agent needs a work directory of its own")
            : absl::StrCat("cannot lock the journal of processes ", path, ": ",
                           strerror(errno)));
  }
  std::unique_ptr<Journal> journal(new Journal(std::move(file)));
  const absl::Status loaded = journal->Load(path);
  if (!loaded.ok()) return loaded;
  return journal;
}

absl::Status Journal::Load(const std::string& path) {
  std::vector<Record> records(kMaxSlots);
  const ssize_t size =
      pread(file_.get(), records.data(), kMaxSlots * sizeof(Record), 0);
  records.resize(size > 0 ? static_cast<size_t>(size) / sizeof(Record) : 0);
  end_ = records.size();
  for (Slot slot = 0; slot < end_; ++slot) {
    const Record& record = records[slot];
    free_.insert(slot);
    if (record.version == 0 || record.pid <= 0 ||
        record.checksum != ChecksumOf(record)) {
      continue;
    }
    if (record.version > kVersion) {
      return absl::FailedPreconditionError(
          absl::StrCat("a newer version wrote the journal of processes ", path,
                       " (its records have version ", record.version,
                       ", this one knows ", kVersion,
                       "): start that version, or remove the file when the "
                       "commands that it tells of have ended"));
    }
    const ProcessIdentity id = IdentityIn(record);
    absl::StatusOr<UniqueFd> pidfd = OpenProcess(id);
    // Without a boot id the process cannot be identified, but it has ended if
    // no process has its number and start time.
    const bool gone =
        absl::IsNotFound(pidfd.status()) ||
        (id.boot_id.empty() && id.pid_namespace == PidNamespace() &&
         absl::IsNotFound(OpenProcess(id.pid, id.start_ticks).status()));
    if (gone) continue;
    // The slot stays taken also if the process cannot be seen now.
    free_.erase(slot);
    if (!pidfd.ok()) continue;
    leftovers_.push_back({slot, record.pid, *std::move(pidfd)});
  }
  TruncateIfEmpty();
  return absl::OkStatus();
}

void Journal::TruncateIfEmpty() {
  if (free_.size() == end_ && ftruncate(file_.get(), 0) == 0) {
    free_.clear();
    end_ = 0;
  }
}

bool Journal::IsIn(int directory_fd) {
  return faccessat(directory_fd, kName, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

std::vector<Journal::Leftover> Journal::TakeLeftovers() {
  return std::exchange(leftovers_, {});
}

bool Journal::Write(Slot slot, const void* data, size_t size) {
  return pwrite(file_.get(), data, size,
                static_cast<off_t>(slot * sizeof(Record))) ==
         static_cast<ssize_t>(size);
}

std::optional<Journal::Slot> Journal::Add(pid_t pid) {
  if (free_.empty()) {
    if (end_ == kMaxSlots) return std::nullopt;
    free_.insert(end_++);
  }
  const std::optional<ProcStat> stat = ReadProcStat(pid);
  if (!stat.has_value()) return std::nullopt;
  Record record = {};
  record.version = kVersion;
  record.pid = pid;
  record.start_time = stat->start_ticks;
  record.boot = BootId().empty() ? 0 : Checksum(BootId());
  record.pid_namespace = PidNamespace();
  record.checksum = ChecksumOf(record);
  const Slot slot = *free_.begin();
  if (!Write(slot, &record, sizeof(record))) return std::nullopt;
  free_.erase(free_.begin());
  return slot;
}

void Journal::Remove(Slot slot) {
  const Record nothing = {};
  Write(slot, &nothing, sizeof(nothing));
  free_.insert(slot);
  TruncateIfEmpty();
}

}  // namespace external_containerizer

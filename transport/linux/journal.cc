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

// More than there can be processes; what lies beyond is not ours.
constexpr size_t kMaxSlots = size_t{1} << 16;

struct Record {
  uint32_t version;
  int32_t pid;
  uint64_t start_time;
  union {
    unsigned char boot_id[16];  // Version 1 has no namespace.
    struct {
      uint64_t boot;  // Checksum of its id; 0 if that was not known.
      uint64_t pid_namespace;
    };
  };
  uint64_t checksum;  // Of what stands before it.
};
static_assert(sizeof(Record) == 40, "the file has no padding");

constexpr uint32_t kOldVersion = 1;
constexpr uint32_t kVersion = 2;

uint64_t ChecksumOf(const Record& record) {
  return Checksum(absl::string_view(reinterpret_cast<const char*>(&record),
                                    offsetof(Record, checksum)));
}

uint64_t ThisBoot() {
  const std::string id = BootId();
  return id.empty() ? 0 : Checksum(id);
}

std::string BootOf(const Record& record) {
  return absl::BytesToHexString(absl::string_view(
      reinterpret_cast<const char*>(record.boot_id), sizeof(record.boot_id)));
}

enum class Boot { kThis, kAnother, kUnknown };

Boot WhichBoot(const Record& record) {
  const std::string id = BootId();
  if (id.empty()) return Boot::kUnknown;
  if (record.version == kOldVersion) {
    return BootOf(record) == absl::StrReplaceAll(id, {{"-", ""}})
               ? Boot::kThis
               : Boot::kAnother;
  }
  if (record.boot == 0) return Boot::kUnknown;
  return record.boot == Checksum(id) ? Boot::kThis : Boot::kAnother;
}

// Whether the process, if it runs, cannot be seen by its number from here.
bool IsElsewhere(const Record& record) {
  const uint64_t ours = PidNamespace();
  return record.version != kOldVersion && record.pid_namespace != 0 &&
         ours != 0 && record.pid_namespace != ours;
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
    const Boot boot = WhichBoot(record);
    if (boot == Boot::kAnother) continue;
    if (IsElsewhere(record)) {
      free_.erase(slot);
      continue;
    }
    absl::StatusOr<UniqueFd> pidfd = OpenProcess(record.pid, record.start_time);
    if (absl::IsNotFound(pidfd.status())) continue;
    // It stays written down also if it cannot be held now, or if another boot
    // may have had a process with the same numbers.
    free_.erase(slot);
    if (!pidfd.ok() || boot == Boot::kUnknown) continue;
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
  record.boot = ThisBoot();
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

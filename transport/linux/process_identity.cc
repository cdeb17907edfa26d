// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/process_identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "external_containerizer/transport/linux/mutex_lock.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/proc_stat.h"

namespace external_containerizer {
namespace {

constexpr char kBootIdFile[] = "/proc/sys/kernel/random/boot_id";

std::string ReadBootId() {
  const UniqueFd file(open(kBootIdFile, O_RDONLY | O_CLOEXEC));
  char text[64];
  const ssize_t size = file.valid() ? read(file.get(), text, sizeof(text)) : 0;
  if (size <= 0) return "";
  return std::string(absl::StripAsciiWhitespace(
      absl::string_view(text, static_cast<size_t>(size))));
}

absl::StatusOr<UniqueFd> CannotLook(pid_t pid) {
  const bool gone = errno == ESRCH || errno == ENOENT;
  const std::string message =
      absl::StrCat("cannot look for process ", pid, ": ", strerror(errno));
  if (gone) return absl::NotFoundError(message);
  return absl::ResourceExhaustedError(message);
}

}  // namespace

std::string BootId() {
  ABSL_CONST_INIT static absl::Mutex mutex(absl::kConstInit);
  static std::string* const known = new std::string;
  MutexLock lock(&mutex);
  if (known->empty()) *known = ReadBootId();
  return *known;
}

uint64_t PidNamespace() {
  // A process cannot leave the namespace that it was born in.
  static const uint64_t known = [] {
    struct stat info;
    return stat("/proc/self/ns/pid", &info) == 0 ? uint64_t{info.st_ino} : 0;
  }();
  return known;
}

bool operator==(const ProcessIdentity& a, const ProcessIdentity& b) {
  const auto namespace_of = [](const ProcessIdentity& id) {
    return id.pid_namespace == 0 ? PidNamespace() : id.pid_namespace;
  };
  return a.pid == b.pid && a.start_ticks == b.start_ticks &&
         !a.boot_id.empty() && a.boot_id == b.boot_id &&
         namespace_of(a) == namespace_of(b);
}

std::optional<ProcessIdentity> IdentityOf(pid_t pid) {
  const std::optional<ProcStat> stat = ReadProcStat(pid);
  if (!stat.has_value()) return std::nullopt;
  return ProcessIdentity{pid, stat->start_ticks, BootId(), PidNamespace()};
}

absl::Status CanBeSeen(const ProcessIdentity& id) {
  const std::string boot_id = BootId();
  if (boot_id.empty() || id.boot_id.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot tell whether process ", id.pid, " is of this boot: ",
        boot_id.empty()
            ? absl::StrCat(kBootIdFile, " cannot be read; make it visible")
            : "its boot was not written down"));
  }
  if (id.boot_id != boot_id) {
    return absl::NotFoundError(
        absl::StrCat("process ", id.pid, " ended with an earlier boot"));
  }
  const uint64_t ours = PidNamespace();
  if (id.pid_namespace != 0 && ours != 0 && id.pid_namespace != ours) {
    return absl::FailedPreconditionError(absl::StrCat(
        "process ", id.pid, " belongs to another PID namespace (",
        id.pid_namespace, ", this one is ", ours,
        ") and cannot be seen from here: start the agent in that namespace"));
  }
  return absl::OkStatus();
}

absl::StatusOr<UniqueFd> OpenProcess(const ProcessIdentity& id) {
  const absl::Status status = CanBeSeen(id);
  if (!status.ok()) return status;
  return OpenProcess(id.pid, id.start_ticks);
}

absl::StatusOr<UniqueFd> OpenProcess(pid_t pid, uint64_t start_ticks) {
  errno = ESRCH;
  UniqueFd pidfd;
  if (pid > 0) pidfd = OpenPidfd(pid);
  if (!pidfd.valid()) return CannotLook(pid);
  // The start time is read after the pidfd was opened: if it is right, the
  // pidfd refers to the right process.
  const std::optional<ProcStat> stat = ReadProcStat(pid);
  if (!stat.has_value()) return CannotLook(pid);
  if (stat->start_ticks == start_ticks) return pidfd;
  return absl::NotFoundError(absl::StrCat(
      "process ", pid, " has ended; another one has its number now"));
}

}  // namespace external_containerizer

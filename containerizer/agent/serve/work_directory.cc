// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/work_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/transport/linux/file_lock.h"

namespace external_containerizer {
namespace {

absl::Status CheckOwner(const struct stat& status, const std::string& path) {
  if (status.st_uid != geteuid() && status.st_uid != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(absl::CHexEscape(path), " belongs to the user with id ",
                     status.st_uid, "; name another place with --work_dir"));
  }
  if ((status.st_mode & 0022) != 0) {
    return absl::PermissionDeniedError(absl::StrCat(
        absl::CHexEscape(path),
        " can be written to by other users, who could tamper with what the "
        "agent remembers; chmod go-w it, or name another place with "
        "--work_dir"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UniqueFd> TakeWorkDirectory(const std::string& path) {
  absl::Status made = MakePath(path);
  if (!made.ok()) return made;
  UniqueFd lock(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status;
  if (!lock.valid() || fstat(lock.get(), &status) != 0) {
    return FileError("open the directory", path, errno);
  }
  absl::Status owner = CheckOwner(status, path);
  if (!owner.ok()) return owner;
  if (!TakeFileLock(lock.get())) {
    if (errno != EWOULDBLOCK) return FileError("lock", path, errno);
    return absl::AlreadyExistsError(
        absl::StrCat("another agent runs with ", absl::CHexEscape(path),
                     "; end it first, or name another place with --work_dir"));
  }
  const absl::StatusOr<UniqueFd> transport =
      MakeDirectories(lock.get(), kTransportDirectory, 0700, path);
  if (!transport.ok()) return transport.status();
  return lock;
}

}  // namespace external_containerizer

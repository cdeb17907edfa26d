// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace posix_internal {

absl::StatusOr<UniqueFd> OpenSandbox(const std::string& path) {
  if (path.empty() || path[0] != '/') {
    return absl::InvalidArgumentError(
        absl::StrCat("the sandbox must be an absolute path, not \"", path,
                     "\" (Launch.directory)"));
  }
  if (path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("the sandbox's path has a NUL in it");
  }
  UniqueFd fd(
      open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot open the sandbox ", path, ": ", strerror(errno)));
  }
  return fd;
}

absl::StatusOr<UniqueFd> OpenForAppending(
    int sandbox, const std::string& path, const std::string& name,
    const std::optional<TaskUser>& owner) {
  const std::string full = absl::StrCat(path, "/", name);
  // Non-blocking, or a FIFO would keep us here.
  constexpr int kFlags =
      O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  UniqueFd fd(openat(sandbox, name.c_str(), kFlags | O_CREAT | O_EXCL, 0644));
  const bool made = fd.valid();
  if (!made && errno == EEXIST) {
    fd.Reset(openat(sandbox, name.c_str(), kFlags));
  }
  if (!fd.valid()) {
    const int error = errno;
    std::string why = strerror(error);
    if (error == ELOOP) why = "it is a symbolic link, which is not followed";
    if (error == ENXIO) why = "it is no regular file";
    return absl::FailedPreconditionError(
        absl::StrCat("cannot open ", full, " for the task: ", why));
  }
  struct stat status;
  if (fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot open ", full, " for the task: it is no regular file"));
  }
  if (status.st_nlink != 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot open ", full,
                     " for the task: it is a hard link to another file"));
  }
  if (made && owner.has_value() &&
      fchown(fd.get(), owner->uid, owner->gid) != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot give ", full, " to the user ", owner->name, ": ",
                     strerror(errno)));
  }
  if (fcntl(fd.get(), F_SETFL, O_APPEND) != 0) {
    return absl::InternalError(
        absl::StrCat("cannot make ", full, " blocking: ", strerror(errno)));
  }
  return fd;
}

}  // namespace posix_internal
}  // namespace external_containerizer

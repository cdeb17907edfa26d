// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <string>

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

}  // namespace posix_internal
}  // namespace external_containerizer

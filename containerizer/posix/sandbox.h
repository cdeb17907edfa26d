// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The files of a sandbox. An earlier task may have written to it, so nothing
// in it is taken for what its name says: no link is followed.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SANDBOX_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SANDBOX_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/posix/task_user.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {

// `path` is absolute. FAILED_PRECONDITION if it is no directory.
absl::StatusOr<UniqueFd> OpenSandbox(const std::string& path);

// A file of the sandbox, for appending; made, with mode 0644 and for `owner`,
// if it is not there. FAILED_PRECONDITION, and nothing is touched, if it is
// anything but a regular file with this one name, or cannot be written to.
// `path` is the sandbox's, for messages; `name` is one component.
absl::StatusOr<UniqueFd> OpenForAppending(
    int sandbox, const std::string& path, const std::string& name,
    const std::optional<TaskUser>& owner = std::nullopt);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SANDBOX_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SANDBOX_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SANDBOX_H_

#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {

// The directory that a Launch names. `path` is absolute, else INVALID_ARGUMENT.
// FAILED_PRECONDITION if it is no directory, or a link. What is in it is opened
// with transport/sandbox_files.h.
absl::StatusOr<UniqueFd> OpenSandbox(const std::string& path);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SANDBOX_H_

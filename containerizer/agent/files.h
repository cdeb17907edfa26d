// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Directories in which a task may have planted anything: no link is followed,
// no mount entered.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_FILES_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_FILES_H_

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {

// "cannot <what> <path>: <reason>", the path escaped. The code is
// PERMISSION_DENIED, RESOURCE_EXHAUSTED or FAILED_PRECONDITION.
absl::Status FileError(absl::string_view what, absl::string_view path,
                       int error_number);

// Makes the absolute path `path` and what is missing above it, with mode 0755
// less the umask. Follows links: for paths that the user chose.
absl::Status MakePath(const std::string& path);

// Makes the relative path `path` below `root`, with `mode` for what is missing,
// and opens it. `shown` names the root in errors.
absl::StatusOr<UniqueFd> MakeDirectories(int root, absl::string_view path,
                                         mode_t mode, absl::string_view shown);

// The names in a directory, without "." and "..", at most `most` of them.
absl::StatusOr<std::vector<std::string>> NamesIn(int directory, size_t most);

// Removes `name` in `parent` with all that is in it, however deep, also where
// modes forbid it. What cannot be removed, and what is mounted, stays, and is
// named in the error by its path. Gives up after a minute, in case somebody
// keeps writing.
absl::Status RemoveTree(int parent, const std::string& name);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_FILES_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Files and directories in places where a task may have put anything. No
// function here follows a link, except MakePath(), and RemoveTree() enters no
// mount.
//
//   absl::StatusOr<UniqueFd> runs = MakeDirectories(
//       work_fd, "slaves/S/runs", 0755, "/var/lib/agent");
//   absl::Status removed = RemoveTree(runs->get(), "C");

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

// Returns an error "cannot <what> <path>: <reason>" with the path escaped. Its
// code is PERMISSION_DENIED, RESOURCE_EXHAUSTED or FAILED_PRECONDITION.
absl::Status FileError(absl::string_view what, absl::string_view path,
                       int error_number);

// Makes the directory `path`, which is absolute, and all that are missing above
// it, with mode 0755 less the umask. Follows links: it is for paths that the
// user chose.
absl::Status MakePath(const std::string& path);

// Makes the directories of the relative path `path` below `root`, with `mode`
// if they are missing, and opens the last one. `shown` is the root's name in
// errors.
absl::StatusOr<UniqueFd> MakeDirectories(int root, absl::string_view path,
                                         mode_t mode, absl::string_view shown);

// Returns the names in a directory without "." and "..", at most `most` of
// them.
absl::StatusOr<std::vector<std::string>> NamesIn(int directory, size_t most);

// Removes `name` in `parent` with all that is in it, however deep, also where
// the modes of directories forbid it. Entries that cannot be removed, and
// mounts, stay; the error names the path of the first. DEADLINE_EXCEEDED after
// a minute, in case a task keeps writing.
absl::Status RemoveTree(int parent, const std::string& name);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_FILES_H_

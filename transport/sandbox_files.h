// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Opens sandboxes, and the files that output is appended to. Whoever can write
// to a sandbox may have planted anything there: no link is followed out of it,
// nothing but a regular file with one name is written to, and opening never
// waits for anybody.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_SANDBOX_FILES_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_SANDBOX_FILES_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// Opens the directory of `sandbox`, beneath its root and without following a
// link below that. Returns FAILED_PRECONDITION if the directory is missing or a
// link, INVALID_ARGUMENT if the path is not valid, and RESOURCE_EXHAUSTED if no
// descriptor is left.
absl::StatusOr<UniqueFd> OpenSandbox(const Sandbox& sandbox);

// Returns a text that identifies the open directory: another directory that
// takes its place has another text, even if it has the same inode number. Empty
// if the system does not tell enough.
std::string SandboxIdentity(int directory);

// As OpenSandbox(), for `launch`: returns FAILED_PRECONDITION also if the
// directory is not the one that `sandbox.identity` identifies.
absl::StatusOr<UniqueFd> OpenSandboxForLaunch(const Sandbox& sandbox);

// A file that is appended to, and the position of its end when it was opened.
struct AppendedFile {
  UniqueFd fd;  // Write-only and blocking: a program's stdout or stderr.
  dev_t device = 0;
  ino_t inode = 0;
  off_t offset = 0;
};

// Opens `name` in `directory` for appending. A missing file is made, with mode
// 0644 and `owner`; an existing one keeps its owner and mode. Returns
// FAILED_PRECONDITION with the reason if the file may not be written to, for
// example because it is a link. `where` is the name of the directory for
// messages.
absl::StatusOr<AppendedFile> OpenForAppending(
    int directory, const std::string& name,
    const std::optional<Sandbox::Owner>& owner, const std::string& where);

// Returns the last bytes that any process has appended to `file` since it was
// opened: at most `max_bytes`, from the beginning of a line if they hold one.
// Returns "" if `name` in `directory` is another file by now.
std::string ReadAppended(int directory, const std::string& name,
                         const AppendedFile& file, size_t max_bytes);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_SANDBOX_FILES_H_

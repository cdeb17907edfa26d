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

// The directory of `sandbox`, resolved beneath its root without following any
// link below that. FAILED_PRECONDITION if there is none, INVALID_ARGUMENT if
// the path is not one; RESOURCE_EXHAUSTED if no descriptor is to be had.
absl::StatusOr<UniqueFd> OpenSandbox(const Sandbox& sandbox);

// Tells the directory that `directory` has open from every other one that may
// take its place, also from one that gets the same inode after it was removed.
// Empty if the system does not say.
std::string SandboxIdentity(int directory);

// OpenSandbox() for `launch`: FAILED_PRECONDITION also if the directory is not
// the one that `sandbox.identity` names.
absl::StatusOr<UniqueFd> OpenSandboxForLaunch(const Sandbox& sandbox);

// A file that is being appended to, and where it ended when it was opened.
struct AppendedFile {
  UniqueFd fd;  // Write-only and blocking: a program's stdout or stderr.
  dev_t device = 0;
  ino_t inode = 0;
  off_t offset = 0;
};

// Opens `name` in `directory` for appending. Makes it (mode 0644, `owner`) if
// it is not there; what is there keeps its owner and mode. FAILED_PRECONDITION
// with the reason if it may not be written to, e.g. because it is a link.
// `where` is the directory's name, for messages.
absl::StatusOr<AppendedFile> OpenForAppending(
    int directory, const std::string& name,
    const std::optional<Sandbox::Owner>& owner, const std::string& where);

// OpenForAppending() for a file of ours that must not grow for ever: one of
// 1 MiB is put aside as `name`.old first. By one thread at a time.
absl::StatusOr<AppendedFile> OpenBounded(int directory, const std::string& name,
                                         const std::string& where);

// The end of what was appended to `file` since it was opened, by whomever: at
// most `max_bytes`, beginning with a whole line if there is one. Empty if
// `name` in `directory` is no longer that file.
std::string ReadAppended(int directory, const std::string& name,
                         const AppendedFile& file, size_t max_bytes);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_SANDBOX_FILES_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The file system as the writer uses it. It has few operations, so that a test
// can record them, let each fail, and lose what was not synced yet.
//
//   auto files = OpenFileSystem("/var/lib/my_agent");
//   (*files)->MakeFile(".boot_id.tmp", id, 0600);
//   (*files)->Rename(".boot_id.tmp", "boot_id");
//   (*files)->SyncDirectory(".");

#ifndef EXTERNAL_CONTAINERIZER_STATE_FILE_SYSTEM_H_
#define EXTERNAL_CONTAINERIZER_STATE_FILE_SYSTEM_H_

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {
namespace state {

// Paths are relative to one directory, and lead over no symbolic link.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // These three are ALREADY_EXISTS if something has that name.
  virtual absl::Status MakeDirectory(const std::string& path) = 0;
  virtual absl::Status MakeLink(const std::string& target,
                                const std::string& path) = 0;
  // A file's contents are on the disk when this returns OK. After any other
  // error the file may exist, with a part of them.
  virtual absl::Status MakeFile(const std::string& path,
                                absl::string_view bytes, mode_t mode) = 0;
  // The contents of a file; nullopt if nothing has that name. DATA_LOSS if it
  // is larger than `max` or no file.
  virtual absl::StatusOr<std::optional<std::string>> ReadFile(
      const std::string& path, size_t max) = 0;
  // Replaces `to` in one step.
  virtual absl::Status Rename(const std::string& from,
                              const std::string& to) = 0;
  // NOT_FOUND if nothing has that name. A directory must be empty.
  virtual absl::Status Remove(const std::string& path) = 0;
  // Removes a directory with all that it contains, if it exists. A crash may
  // leave a part of it.
  virtual absl::Status RemoveTree(const std::string& path) = 0;
  // All that was made, renamed and removed in the directory is on the disk when
  // this returns.
  virtual absl::Status SyncDirectory(const std::string& path) = 0;
};

// The real one, below `root`, which must exist. Thread-safe; blocks.
absl::StatusOr<std::unique_ptr<FileSystem>> OpenFileSystem(
    const std::string& root);

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_FILE_SYSTEM_H_

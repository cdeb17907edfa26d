// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The writer's view of a file system: few operations, each of which is one
// system call as far as a crash is concerned, so that a test can record them,
// fail each, and lose what was not yet synced.

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

// Paths are relative to one directory. No symbolic link on the way is followed.
class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // ALREADY_EXISTS if there is something of that name.
  virtual absl::Status MakeDirectory(const std::string& path) = 0;
  virtual absl::Status MakeLink(const std::string& target,
                                const std::string& path) = 0;
  // The contents are on the disk when it returns OK. After another error than
  // ALREADY_EXISTS the file may be there, with some of them.
  virtual absl::Status MakeFile(const std::string& path,
                                absl::string_view bytes, mode_t mode) = 0;
  // Its contents; nullopt if there is none. DATA_LOSS if it is larger than
  // `max` or not a file.
  virtual absl::StatusOr<std::optional<std::string>> ReadFile(
      const std::string& path, size_t max) = 0;
  // `to` is replaced, in one step.
  virtual absl::Status Rename(const std::string& from,
                              const std::string& to) = 0;
  // NOT_FOUND if there is none.
  virtual absl::Status Remove(const std::string& path) = 0;
  // All of it that is there, if any. Not one step for a crash.
  virtual absl::Status RemoveTree(const std::string& path) = 0;
  // What was made, renamed and removed in it is on the disk when it returns.
  virtual absl::Status SyncDirectory(const std::string& path) = 0;
};

// The real one, below `root`, which must exist. Thread-safe; blocks.
absl::StatusOr<std::unique_ptr<FileSystem>> OpenFileSystem(
    const std::string& root);

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_FILE_SYSTEM_H_

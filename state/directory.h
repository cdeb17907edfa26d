// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Reads a directory tree that others may have damaged or prepared: no link is
// followed out of it or inside it, no FIFO or device is read from, every size
// and count has a bound. Nothing is changed.

#ifndef EXTERNAL_CONTAINERIZER_STATE_DIRECTORY_H_
#define EXTERNAL_CONTAINERIZER_STATE_DIRECTORY_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace state {

// An open directory. The names it takes are relative to it, may have several
// components, and are resolved beneath it.
//
// Of all errors here, RESOURCE_EXHAUSTED says that this process has no
// descriptor or memory left; all others are about the file. Messages do not
// repeat its name.
class Directory {
 public:
  enum class Type { kFile, kDirectory, kLink, kOther };

  struct Entry {
    std::string name;
    Type type;
  };

  // `path` itself may be, or lead over, a link. NOT_FOUND if there is none.
  static absl::StatusOr<Directory> OpenRoot(const std::string& path);

  // nullopt if there is nothing of that name.
  absl::StatusOr<std::optional<Directory>> Open(const std::string& name) const;

  // Sorted by name, hidden ones too. DATA_LOSS if there are more than `max`.
  absl::StatusOr<std::vector<Entry>> List(size_t max) const;

  // The contents of a regular file as they are now, which lie in `buffer` (one
  // that is reused for many files saves time). nullopt if there is nothing of
  // that name; DATA_LOSS if it is larger than `max` or not a regular file.
  absl::StatusOr<std::optional<absl::string_view>> Read(
      const std::string& name, size_t max, std::string& buffer) const;

  // What a symbolic link says. nullopt if there is nothing of that name;
  // DATA_LOSS if it is no link.
  absl::StatusOr<std::optional<std::string>> ReadLink(
      const std::string& name) const;

 private:
  explicit Directory(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_DIRECTORY_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Reads a directory tree that others may have damaged or prepared. It follows
// no link, reads from no FIFO or device, and has a bound for every size and
// count. It changes nothing.
//
//   absl::StatusOr<Directory> root = Directory::OpenRoot("/var/lib/my_agent");
//   std::string buffer;
//   auto bytes = root->Read("meta/boot_id", kMaxTextBytes, buffer);

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

// An open directory. Names are relative to it, may have several components, and
// are resolved beneath it.
//
// RESOURCE_EXHAUSTED says that this process has no descriptor or memory left.
// All other errors are about the file. Messages do not repeat its name.
class Directory {
 public:
  enum class Type { kFile, kDirectory, kLink, kOther };

  struct Entry {
    std::string name;
    Type type;
  };

  // `path` itself may be a link, or lead over one. NOT_FOUND if nothing is
  // there.
  static absl::StatusOr<Directory> OpenRoot(const std::string& path);

  // nullopt if nothing has that name.
  absl::StatusOr<std::optional<Directory>> Open(const std::string& name) const;

  // All entries, hidden ones too, sorted by name. DATA_LOSS if they are more
  // than `max`.
  absl::StatusOr<std::vector<Entry>> List(size_t max) const;

  // The contents of a regular file as they are now. They lie in `buffer`, which
  // may be used for one file after another to save time. nullopt if nothing has
  // that name; DATA_LOSS if it is larger than `max` or no regular file.
  absl::StatusOr<std::optional<absl::string_view>> Read(
      const std::string& name, size_t max, std::string& buffer) const;

  // The target of a symbolic link. nullopt if nothing has that name; DATA_LOSS
  // if it is no link.
  absl::StatusOr<std::optional<std::string>> ReadLink(
      const std::string& name) const;

 private:
  explicit Directory(UniqueFd fd) : fd_(std::move(fd)) {}

  UniqueFd fd_;
};

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_DIRECTORY_H_

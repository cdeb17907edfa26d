// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A file system in memory that knows which states a crash may leave.
//
// Until a file is synced, the disk may have any of its recent contents, with a
// part of an append, or with zeros instead. Until a directory is synced, any
// combination of changes to its entries may be missing. Real file systems lose
// less.
//
//   ModelFileSystem files;
//   files.MakeFile("f", "bytes", 0600);
//   for (const Image& image : files.AfterCrash()) Check(image);

#ifndef EXTERNAL_CONTAINERIZER_STATE_MODEL_FILE_SYSTEM_TESTING_H_
#define EXTERNAL_CONTAINERIZER_STATE_MODEL_FILE_SYSTEM_TESTING_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/state/file_system.h"

namespace external_containerizer {
namespace state {

// A tree. The value at a path is "d" for a directory, "l" and the target of a
// link, "f" and the contents of a file, or "p" for a FIFO.
using Image = std::map<std::string, std::string>;

// Makes the tree in an empty directory. An entry whose parent is no directory
// is left out.
void Materialize(const Image& image, const std::string& directory);

class ModelFileSystem : public FileSystem {
 public:
  ModelFileSystem();

  // The tree that processes see, and the trees that a crash now may leave.
  Image Now() const;
  std::set<Image> AfterCrash() const;

  // Lets an operation fail, counted from 0. An append fails after half of it.
  void Fail(size_t operation, absl::Status status);
  size_t operations() const { return operations_; }
  size_t file_syncs() const { return file_syncs_; }
  size_t directory_syncs() const { return directory_syncs_; }
  // Whether the one that failed was the sync of a directory.
  bool failed_at_directory_sync() const { return failed_at_directory_sync_; }

  // Called after each operation that changes something.
  void OnChange(std::function<void()> on_change);

  absl::Status MakeDirectory(const std::string& path) override;
  absl::Status MakeLink(const std::string& target,
                        const std::string& path) override;
  absl::Status MakeFile(const std::string& path, absl::string_view bytes,
                        mode_t mode) override;
  absl::StatusOr<std::optional<std::string>> ReadFile(const std::string& path,
                                                      size_t max) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status RemoveTree(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& path) override;

 private:
  struct Node;
  using NodePtr = std::shared_ptr<Node>;
  using Entries = std::map<std::string, NodePtr>;
  // The node is null if the name is removed.
  using Change = std::vector<std::pair<std::string, NodePtr>>;

  absl::Status Begin(bool is_directory_sync = false);
  void Done();
  NodePtr Find(const std::string& path) const;
  absl::Status Make(const std::string& path, NodePtr node);
  void Apply(const NodePtr& directory, Change change);

  NodePtr root_;
  size_t operations_ = 0;
  size_t file_syncs_ = 0;
  size_t directory_syncs_ = 0;
  std::optional<size_t> fail_at_;
  absl::Status failure_;
  bool failed_at_directory_sync_ = false;
  std::function<void()> on_change_;
};

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_MODEL_FILE_SYSTEM_TESTING_H_

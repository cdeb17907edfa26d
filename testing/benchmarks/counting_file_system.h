// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A file system that counts the operations of another one, to tell what a
// durable record costs.
//
//   FileSystemCounts counts;
//   state::Writer writer(work_dir, std::make_unique<CountingFileSystem>(
//                                      *std::move(files), counts));

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_COUNTING_FILE_SYSTEM_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_COUNTING_FILE_SYSTEM_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/state/file_system.h"

namespace external_containerizer {

struct FileSystemCounts {
  size_t files = 0;  // That were made.
  // Directories whose entries changed. A directory counts again if it changes
  // after it was synced.
  size_t directories = 0;
  size_t file_syncs = 0;
  size_t directory_syncs = 0;
};

// Not thread-safe. `counts` must outlive it.
class CountingFileSystem : public state::FileSystem {
 public:
  CountingFileSystem(std::unique_ptr<state::FileSystem> files,
                     FileSystemCounts& counts);

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
  void Changed(const std::string& path);

  const std::unique_ptr<state::FileSystem> files_;
  FileSystemCounts& counts_;
  std::set<std::string> changed_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_COUNTING_FILE_SYSTEM_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/benchmarks/counting_file_system.h"

#include <utility>

#include "absl/strings/string_view.h"

namespace external_containerizer {

CountingFileSystem::CountingFileSystem(std::unique_ptr<state::FileSystem> files,
                                       FileSystemCounts& counts)
    : files_(std::move(files)), counts_(counts) {}

absl::Status CountingFileSystem::MakeDirectory(const std::string& path) {
  absl::Status status = files_->MakeDirectory(path);
  if (status.ok()) Changed(path);
  return status;
}

absl::Status CountingFileSystem::MakeLink(const std::string& target,
                                          const std::string& path) {
  Changed(path);
  return files_->MakeLink(target, path);
}

absl::Status CountingFileSystem::MakeFile(const std::string& path,
                                          absl::string_view bytes,
                                          mode_t mode) {
  Changed(path);
  ++counts_.files;
  ++counts_.file_syncs;
  return files_->MakeFile(path, bytes, mode);
}

absl::StatusOr<std::optional<std::string>> CountingFileSystem::ReadFile(
    const std::string& path, size_t max) {
  return files_->ReadFile(path, max);
}

absl::Status CountingFileSystem::Rename(const std::string& from,
                                        const std::string& to) {
  Changed(from);
  Changed(to);
  return files_->Rename(from, to);
}

absl::Status CountingFileSystem::Remove(const std::string& path) {
  Changed(path);
  return files_->Remove(path);
}

absl::Status CountingFileSystem::RemoveTree(const std::string& path) {
  Changed(path);
  return files_->RemoveTree(path);
}

absl::Status CountingFileSystem::SyncDirectory(const std::string& path) {
  ++counts_.directory_syncs;
  changed_.erase(path);
  return files_->SyncDirectory(path);
}

void CountingFileSystem::Changed(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (changed_.insert(slash == path.npos ? "." : path.substr(0, slash))
          .second) {
    ++counts_.directories;
  }
}

}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/benchmarks/counting_file_system.h"

#include <cstdint>
#include <utility>

#include "absl/strings/string_view.h"

namespace external_containerizer {
namespace {

class CountingFile : public state::WritableFile {
 public:
  CountingFile(std::unique_ptr<state::WritableFile> file,
               FileSystemCounts& counts)
      : file_(std::move(file)), counts_(counts) {}

  absl::Status Append(absl::string_view bytes) override {
    return file_->Append(bytes);
  }
  absl::Status Truncate(uint64_t size) override {
    return file_->Truncate(size);
  }
  absl::Status Sync() override {
    ++counts_.file_syncs;
    return file_->Sync();
  }

 private:
  const std::unique_ptr<state::WritableFile> file_;
  FileSystemCounts& counts_;
};

}  // namespace

CountingFileSystem::CountingFileSystem(std::unique_ptr<state::FileSystem> files,
                                       FileSystemCounts& counts)
    : files_(std::move(files)), counts_(counts) {}

absl::Status CountingFileSystem::MakeDirectory(const std::string& path) {
  Changed(path);
  return files_->MakeDirectory(path);
}

absl::Status CountingFileSystem::MakeLink(const std::string& target,
                                          const std::string& path) {
  Changed(path);
  return files_->MakeLink(target, path);
}

absl::StatusOr<std::unique_ptr<state::WritableFile>>
CountingFileSystem::MakeFile(const std::string& path, mode_t mode) {
  Changed(path);
  return Count(files_->MakeFile(path, mode));
}

absl::StatusOr<std::unique_ptr<state::WritableFile>>
CountingFileSystem::OpenFile(const std::string& path) {
  return Count(files_->OpenFile(path));
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

absl::StatusOr<std::unique_ptr<state::WritableFile>> CountingFileSystem::Count(
    absl::StatusOr<std::unique_ptr<state::WritableFile>> file) {
  if (!file.ok()) return file;
  ++counts_.files;
  return std::make_unique<CountingFile>(*std::move(file), counts_);
}

void CountingFileSystem::Changed(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (changed_.insert(slash == path.npos ? "." : path.substr(0, slash))
          .second) {
    ++counts_.directories;
  }
}

}  // namespace external_containerizer

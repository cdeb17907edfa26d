// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace external_containerizer {

OutputFile::OutputFile(int directory, std::string name)
    : directory_(directory), name_(std::move(name)) {}

absl::StatusOr<std::string> OutputFile::Read(size_t most) {
  // The second turn opens the file that replaced the first.
  for (int i = 0; i < 2; ++i) {
    if (!file_.valid()) {
      absl::Status opened = Open();
      if (!opened.ok()) return opened;
      if (!file_.valid()) return std::string();
    }
    struct stat status;
    if (fstat(file_.get(), &status) == 0 && status.st_size < offset_) {
      offset_ = 0;
    }
    std::string bytes(most, '\0');
    const ssize_t got = pread(file_.get(), &bytes[0], most, offset_);
    if (got < 0) return FileError("read the task's", name_, errno);
    bytes.resize(static_cast<size_t>(got));
    offset_ += got;
    if (!bytes.empty() || !WasReplaced()) return bytes;
    file_ = UniqueFd();
    offset_ = 0;
  }
  return std::string();
}

size_t OutputFile::Unread() const {
  struct stat status;
  if (!file_.valid() || fstat(file_.get(), &status) != 0 ||
      status.st_size <= offset_) {
    return 0;
  }
  return static_cast<size_t>(status.st_size - offset_);
}

absl::Status OutputFile::Open() {
  UniqueFd file(
      openat(directory_, name_.c_str(),
             O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.valid()) {
    if (errno == ENOENT) return absl::OkStatus();
    if (errno != ELOOP) return FileError("open the task's", name_, errno);
  }
  struct stat status;
  if (!file.valid() || fstat(file.get(), &status) != 0 ||
      !S_ISREG(status.st_mode) || status.st_nlink > 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("the sandbox's ", absl::CHexEscape(name_),
                     " is not a file of its own any more, but a link or "
                     "something else; it is not shown"));
  }
  file_ = std::move(file);
  return absl::OkStatus();
}

bool OutputFile::WasReplaced() const {
  struct stat ours, named;
  return fstat(file_.get(), &ours) == 0 &&
         fstatat(directory_, name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         (ours.st_ino != named.st_ino || ours.st_dev != named.st_dev);
}

}  // namespace external_containerizer

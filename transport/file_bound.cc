// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/file_bound.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 20;

constexpr absl::Duration kShortestPause = absl::Milliseconds(10);
constexpr absl::Duration kLongestPause = absl::Seconds(1);

// O_NONBLOCK, because another kind of file could block.
constexpr int kFlags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

}  // namespace

FileBound::FileBound(EventLoop& loop, int directory, std::string name)
    : loop_(loop),
      directory_(directory),
      name_(std::move(name)),
      pause_(kShortestPause) {
  Look();
}

void FileBound::Look() {
  pause_ = Shorten() ? kShortestPause : std::min(2 * pause_, kLongestPause);
  timer_ = loop_.RunAfter(pause_, [this] { Look(); });
}

bool FileBound::Shorten() const {
  struct stat info;
  if (fstatat(directory_, name_.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISREG(info.st_mode) || info.st_size < off_t{kMaxBytes}) {
    return false;
  }
  const UniqueFd file(openat(directory_, name_.c_str(), O_RDWR | kFlags));
  const UniqueFd old(openat(directory_, (name_ + ".old").c_str(),
                            O_WRONLY | O_CREAT | O_TRUNC | kFlags, 0644));
  std::string text(kMaxBytes, '\0');
  const ssize_t size = pread(file.get(), text.data(), text.size(),
                             info.st_size - off_t{kMaxBytes});
  // The file is emptied also if its end cannot be copied, as on a full disk.
  if (size > 0) {
    const ssize_t ignored =
        write(old.get(), text.data(), static_cast<size_t>(size));
    static_cast<void>(ignored);
  }
  return ftruncate(file.get(), 0) == 0;
}

}  // namespace external_containerizer

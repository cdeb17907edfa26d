// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/cgroup_files.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/posix/small_files.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

constexpr size_t kMaxList = 4 << 20;
// The kernel returns a list in pieces of about a page. A smaller piece is the
// last.
constexpr ssize_t kSmallPiece = 2048;

}  // namespace

absl::string_view CgroupFiles::Text(File file, const std::string& path,
                                    const char* name) {
  const ssize_t n = Fill(file, path, name);
  // The kernel returns these files in one piece.
  return n < 0 ? absl::string_view()
               : absl::string_view(buffer_, static_cast<size_t>(n));
}

std::optional<uint64_t> CgroupFiles::Number(File file, const std::string& path,
                                            const char* name) {
  return ParseNumber(Text(file, path, name));
}

std::optional<uint32_t> CgroupFiles::CountLines(File file,
                                                const std::string& path,
                                                const char* name,
                                                bool stays_current) {
  ssize_t n = Fill(file, path, name);
  if (n < 0) return std::nullopt;
  size_t size = 0;
  ptrdiff_t lines = 0;
  while (n > 0) {
    lines += std::count(buffer_, buffer_ + n, '\n');
    size += static_cast<size_t>(n);
    if (n < kSmallPiece || size >= kMaxList) break;
    n = ReadAt(files_[file].get(), static_cast<off_t>(size));
  }
  if (!stays_current) files_[file].Reset();
  return static_cast<uint32_t>(lines);
}

ssize_t CgroupFiles::Fill(File file, const std::string& path,
                          const char* name) {
  UniqueFd& fd = files_[file];
  if (fd.valid()) {
    const ssize_t n = ReadAt(fd.get(), 0);
    if (n >= 0) return n;
    // The file is gone. A new one exists if the controller was turned off and
    // on again.
  }
  fd.Reset(open(absl::StrCat(path, "/", name).c_str(),
                O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  return fd.valid() ? ReadAt(fd.get(), 0) : -1;
}

ssize_t CgroupFiles::ReadAt(int fd, off_t offset) {
  ssize_t n;
  do {
    n = pread(fd, buffer_, sizeof(buffer_), offset);
  } while (n < 0 && errno == EINTR);
  return n;
}

}  // namespace posix_internal
}  // namespace external_containerizer

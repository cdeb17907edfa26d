// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/open_beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {
namespace {

// A relative path without ".." and without links cannot lead out of the
// directory, so the kernel need not check that (RESOLVE_BENEATH), which takes
// time.
bool IsBeneath(const std::string& path) {
  if (!path.empty() && path[0] == '/') return false;
  if (path.find("..") == std::string::npos) return true;
  for (const absl::string_view component : absl::StrSplit(path, '/')) {
    if (component == "..") return false;
  }
  return true;
}

// The id of the mount of a descriptor, or nullopt without /proc.
std::optional<int> MountOf(int fd) {
  char text[1024];
  snprintf(text, sizeof(text), "/proc/self/fdinfo/%d", fd);
  const UniqueFd info(open(text, O_RDONLY | O_CLOEXEC));
  const ssize_t size =
      info.valid() ? read(info.get(), text, sizeof(text) - 1) : 0;
  text[size > 0 ? size : 0] = '\0';
  const char* line = strstr(text, "mnt_id:");
  int id;
  if (line == nullptr || sscanf(line, "mnt_id: %d", &id) != 1) {
    return std::nullopt;
  }
  return id;
}

UniqueFd Failed(int error) {
  errno = error;
  return UniqueFd();
}

bool IsLink(int directory, const std::string& name) {
  struct stat info;
  return fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISLNK(info.st_mode);
}

}  // namespace

UniqueFd OpenBeneath(int directory, const std::string& path, int flags,
                     mode_t mode, Mounts mounts) {
  if (!IsBeneath(path)) return Failed(EXDEV);
  struct open_how how = {};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
  how.mode = mode;
  how.resolve = RESOLVE_NO_SYMLINKS;
  if (mounts == Mounts::kRefuse) how.resolve |= RESOLVE_NO_XDEV;
  for (;;) {
    // glibc has no wrapper for it.
    const long fd =
        syscall(SYS_openat2, directory, path.c_str(), &how, sizeof(how));
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    if (errno == ENOSYS || errno == EPERM) {
      return OpenBeneathStepwise(directory, path, flags, mode, mounts);
    }
    if (errno != EINTR) return UniqueFd();
  }
}

UniqueFd OpenBeneathStepwise(int directory, const std::string& path, int flags,
                             mode_t mode, Mounts mounts) {
  if (!IsBeneath(path)) return Failed(EXDEV);
  if (path.empty()) return Failed(ENOENT);
  std::vector<std::string> names = absl::StrSplit(path, '/', absl::SkipEmpty());
  if (path.back() == '/') names.push_back(".");
  const std::optional<int> mount = MountOf(directory);
  if (mounts == Mounts::kRefuse && !mount.has_value()) return Failed(EXDEV);
  UniqueFd at;
  for (size_t i = 0; i < names.size(); ++i) {
    const int above = i == 0 ? directory : at.get();
    const bool last = i + 1 == names.size();
    UniqueFd next(openat(
        above, names[i].c_str(),
        (last ? flags : O_PATH | O_DIRECTORY) | O_CLOEXEC | O_NOFOLLOW, mode));
    // With O_DIRECTORY a link is ENOTDIR, and with O_PATH it is opened.
    const int error = errno;
    if ((!next.valid() && error == ENOTDIR) ||
        (next.valid() && last && (flags & O_PATH) != 0)) {
      if (IsLink(above, names[i])) return Failed(ELOOP);
    }
    if (!next.valid()) return Failed(error);
    if (mounts == Mounts::kRefuse && MountOf(next.get()) != mount) {
      return Failed(EXDEV);
    }
    at = std::move(next);
  }
  return at;
}

}  // namespace external_containerizer

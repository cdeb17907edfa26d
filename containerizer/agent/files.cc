// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <memory>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/open_beneath.h"
#include "external_containerizer/transport/linux/random_name.h"

namespace external_containerizer {
namespace {

constexpr absl::Duration kRemovalTime = absl::Minutes(1);
constexpr size_t kNamesAtOnce = 4096;
// Beyond so many moved directories an error names only the end of a path.
constexpr size_t kMostPathsKept = 10'000;

// Opens a directory to remove what is in it. Invalid, with errno, on failure.
UniqueFd OpenToEmpty(int parent, const std::string& name) {
  constexpr int kDirectory = O_RDONLY | O_DIRECTORY;
  const auto open = [&](int flags) {
    return OpenBeneath(parent, name, flags, 0, Mounts::kRefuse);
  };
  UniqueFd directory = open(kDirectory);
  if (!directory.valid() && errno == EACCES) {
    // chmod() of a name could follow a link that a task planted meanwhile.
    const UniqueFd path = open(O_PATH | O_DIRECTORY);
    if (!path.valid()) return UniqueFd();
    if (chmod(absl::StrCat("/proc/self/fd/", path.get()).c_str(), 0700) != 0) {
      return UniqueFd();
    }
    directory = open(kDirectory);
  }
  struct stat status;
  if (directory.valid() && fstat(directory.get(), &status) == 0 &&
      (status.st_mode & 0700) != 0700) {
    // If this fails, the removal fails as well and says why.
    (void)fchmod(directory.get(), 0700);
  }
  return directory;
}

// Removes a tree with two descriptors and without recursion: a directory inside
// another is moved to the top, and emptied later.
class Remover {
 public:
  explicit Remover(UniqueFd top) : top_(std::move(top)) {}

  // Returns whether the top is empty now.
  bool Run() {
    const Deadline deadline(kRemovalTime);
    for (;;) {
      const absl::StatusOr<std::vector<std::string>> names =
          NamesIn(top_.get(), kNamesAtOnce);
      if (!names.ok()) {
        if (error_.ok()) error_ = names.status();
        return false;
      }
      if (names->empty()) return true;
      bool progress = false;
      for (const std::string& name : *names) {
        if (Remove(name)) progress = true;
      }
      if (!progress) return false;
      if (deadline.Expired()) {
        error_ = absl::DeadlineExceededError("somebody still writes to it");
        return false;
      }
    }
  }

  const absl::Status& error() const { return error_; }

 private:
  // Returns whether this removed or moved anything.
  bool Remove(const std::string& name) {
    const std::string path = PathOf(name);
    UniqueFd directory;
    if (Unlink(top_.get(), name, path, directory)) return true;
    if (!directory.valid()) return false;
    bool progress = false;
    for (;;) {
      const absl::StatusOr<std::vector<std::string>> names =
          NamesIn(directory.get(), kNamesAtOnce);
      if (!names.ok() || names->empty()) break;
      bool moved = false;
      for (const std::string& inner : *names) {
        if (RemoveOrLift(directory.get(), inner,
                         absl::StrCat(path, "/", inner))) {
          moved = true;
        }
      }
      if (!moved) break;
      progress = true;
    }
    if (unlinkat(top_.get(), name.c_str(), AT_REMOVEDIR) == 0) {
      lifted_.erase(name);
      return true;
    }
    Failed(path, errno);
    return progress;
  }

  bool RemoveOrLift(int parent, const std::string& name,
                    const std::string& path) {
    UniqueFd directory;
    if (Unlink(parent, name, path, directory)) return true;
    // OpenToEmpty() has made it writable, which moving it needs.
    if (!directory.valid()) return false;
    const std::string lifted = RandomName();
    if (renameat(parent, name.c_str(), top_.get(), lifted.c_str()) != 0) {
      return Failed(path, errno);
    }
    if (lifted_.size() < kMostPathsKept) lifted_[lifted] = path;
    return true;
  }

  // Removes `name`, or opens it if it is a directory. `path` is for errors.
  bool Unlink(int parent, const std::string& name, const std::string& path,
              UniqueFd& directory) {
    if (unlinkat(parent, name.c_str(), 0) == 0) return true;
    const int reason = errno;
    if (reason != EISDIR && reason != EPERM) return Failed(path, reason);
    directory = OpenToEmpty(parent, name);
    if (directory.valid()) return false;
    return Failed(path, errno == ENOTDIR ? reason : errno);
  }

  // Returns the path that the entry `name` of the top had before it was moved.
  std::string PathOf(const std::string& name) const {
    const auto lifted = lifted_.find(name);
    return lifted == lifted_.end() ? name : lifted->second;
  }

  bool Failed(const std::string& path, int reason) {
    if (error_.ok()) {
      error_ =
          reason == EXDEV || reason == EBUSY
              ? absl::FailedPreconditionError(absl::StrCat(
                    "\"", absl::CHexEscape(path), "\" is mounted; unmount it"))
              : FileError("remove", path, reason);
    }
    return false;
  }

  UniqueFd top_;
  std::map<std::string, std::string> lifted_;  // Original paths, by new names.
  absl::Status error_;
};

}  // namespace

absl::Status FileError(absl::string_view what, absl::string_view path,
                       int error_number) {
  const std::string message =
      absl::StrCat("cannot ", what, " ", absl::CHexEscape(path), ": ",
                   strerror(error_number));
  switch (error_number) {
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(message);
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::FailedPreconditionError(message);
  }
}

absl::Status MakePath(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string prefix = path.substr(0, slash);
    if (mkdir(prefix.c_str(), 0755) != 0) {
      const int reason = errno;
      struct stat status;
      // mkdir() may fail with EROFS or EACCES although the directory exists.
      if (stat(prefix.c_str(), &status) != 0) {
        return FileError("make the directory", prefix, reason);
      }
      if (!S_ISDIR(status.st_mode)) {
        return FileError("use as a directory", prefix, ENOTDIR);
      }
    }
    if (slash == std::string::npos) return absl::OkStatus();
  }
}

absl::StatusOr<UniqueFd> MakeDirectories(int root, absl::string_view path,
                                         mode_t mode, absl::string_view shown) {
  UniqueFd at(fcntl(root, F_DUPFD_CLOEXEC, 0));
  if (!at.valid()) return FileError("open", shown, errno);
  std::string so_far = std::string(shown);
  for (const std::string& name :
       std::vector<std::string>(absl::StrSplit(path, '/'))) {
    absl::StrAppend(&so_far, "/", name);
    if (name.empty() || name == "." || name == "..") {
      return FileError("make the directory", so_far, EINVAL);
    }
    if (mkdirat(at.get(), name.c_str(), mode) != 0 && errno != EEXIST) {
      return FileError("make the directory", so_far, errno);
    }
    at = OpenBeneath(at.get(), name, O_RDONLY | O_DIRECTORY);
    if (!at.valid()) return FileError("open the directory", so_far, errno);
  }
  return at;
}

absl::StatusOr<std::vector<std::string>> NamesIn(int directory, size_t most) {
  const int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(
      fd < 0 ? nullptr : fdopendir(fd), &closedir);
  if (stream == nullptr) {
    const int reason = errno;
    if (fd >= 0) close(fd);
    return FileError("list", "a directory", reason);
  }
  std::vector<std::string> names;
  errno = 0;
  while (names.size() < most) {
    const struct dirent* entry = readdir(stream.get());
    if (entry == nullptr) break;
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  if (errno != 0) return FileError("list", "a directory", errno);
  return names;
}

absl::Status RemoveTree(int parent, const std::string& name) {
  if (unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) {
    return absl::OkStatus();
  }
  if (errno != EISDIR && errno != EPERM) {
    return FileError("remove", name, errno);
  }
  const int reason = errno;
  UniqueFd top = OpenToEmpty(parent, name);
  if (!top.valid()) {
    return FileError("remove", name, errno == ENOTDIR ? reason : errno);
  }
  Remover remover(std::move(top));
  if (!remover.Run()) return remover.error();
  if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) {
    return FileError("remove", name, errno);
  }
  return absl::OkStatus();
}

}  // namespace external_containerizer

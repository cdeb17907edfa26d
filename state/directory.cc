// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/linux/open_beneath.h"

namespace external_containerizer {
namespace state {
namespace {

// The layout of an entry that getdents64 gives.
struct DirectoryEntry {
  uint64_t inode;
  int64_t offset;
  unsigned short size;
  unsigned char type;
  char name[1];
};

absl::Status OpenError(int error) {
  if (error == ELOOP) {
    return absl::DataLossError("is, or is behind, a symbolic link");
  }
  if (error == ENOTDIR) return absl::DataLossError("is not a directory");
  if (error == ENXIO) return absl::DataLossError("is a device or a socket");
  return absl::ErrnoToStatus(error, "cannot be opened");
}

const char* NameOf(mode_t mode) {
  if (S_ISDIR(mode)) return "directory";
  if (S_ISFIFO(mode)) return "FIFO";
  if (S_ISLNK(mode)) return "symbolic link";
  if (S_ISSOCK(mode)) return "socket";
  return "device";
}

Directory::Type TypeOf(unsigned char type) {
  switch (type) {
    case DT_REG:
      return Directory::Type::kFile;
    case DT_DIR:
      return Directory::Type::kDirectory;
    case DT_LNK:
      return Directory::Type::kLink;
    default:
      return Directory::Type::kOther;
  }
}

// For file systems that do not say the type while they list.
unsigned char AskForType(int directory, const char* name) {
  struct stat info;
  if (fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
    return DT_UNKNOWN;
  }
  return static_cast<unsigned char>(IFTODT(info.st_mode));
}

}  // namespace

absl::StatusOr<Directory> Directory::OpenRoot(const std::string& path) {
  UniqueFd fd;
  do {
    fd.Reset(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  } while (!fd.valid() && errno == EINTR);
  if (!fd.valid()) return absl::ErrnoToStatus(errno, "cannot be opened");
  return Directory(std::move(fd));
}

absl::StatusOr<std::optional<Directory>> Directory::Open(
    const std::string& name) const {
  UniqueFd fd = OpenBeneath(fd_.get(), name, O_RDONLY | O_DIRECTORY);
  if (fd.valid()) return Directory(std::move(fd));
  if (errno == ENOENT) return std::nullopt;
  return OpenError(errno);
}

absl::StatusOr<std::vector<Directory::Entry>> Directory::List(
    size_t max) const {
  std::vector<Entry> entries;
  if (lseek(fd_.get(), 0, SEEK_SET) != 0) {
    return absl::ErrnoToStatus(errno, "cannot be listed");
  }
  alignas(DirectoryEntry) char buffer[32 << 10];
  for (;;) {
    const long count =
        syscall(SYS_getdents64, fd_.get(), buffer, sizeof(buffer));
    if (count == 0) break;
    if (count < 0) return absl::ErrnoToStatus(errno, "cannot be listed");
    for (const char* at = buffer; at < buffer + count;) {
      const auto* entry = reinterpret_cast<const DirectoryEntry*>(at);
      at += entry->size;
      const absl::string_view name = entry->name;
      if (name == "." || name == "..") continue;
      if (entries.size() == max) {
        return absl::DataLossError(
            absl::StrCat("has more than ", max, " entries"));
      }
      const unsigned char type = entry->type == DT_UNKNOWN
                                     ? AskForType(fd_.get(), entry->name)
                                     : entry->type;
      entries.push_back({std::string(name), TypeOf(type)});
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

absl::StatusOr<std::optional<absl::string_view>> Directory::Read(
    const std::string& name, size_t max, std::string& buffer) const {
  const UniqueFd fd =
      OpenBeneath(fd_.get(), name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd.valid()) {
    if (errno == ENOENT) return std::nullopt;
    return OpenError(errno);
  }
  struct stat info;
  if (fstat(fd.get(), &info) != 0) {
    return absl::ErrnoToStatus(errno, "cannot be examined");
  }
  if (!S_ISREG(info.st_mode)) {
    return absl::DataLossError(
        absl::StrCat("is a ", NameOf(info.st_mode), " instead of a file"));
  }
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size > max) {
    return absl::DataLossError(absl::StrCat(
        "is ", size, " bytes long, more than the ", max, " that are read"));
  }
  if (buffer.size() < size) buffer.resize(size);
  size_t have = 0;
  while (have < size) {
    const ssize_t count = read(fd.get(), &buffer[have], size - have);
    if (count == 0) break;  // Somebody has made it shorter since.
    if (count < 0) {
      if (errno == EINTR) continue;
      return absl::ErrnoToStatus(errno, "cannot be read");
    }
    have += static_cast<size_t>(count);
  }
  return absl::string_view(buffer.data(), have);
}

absl::StatusOr<std::optional<std::string>> Directory::ReadLink(
    const std::string& name) const {
  char target[PATH_MAX];
  const ssize_t size =
      readlinkat(fd_.get(), name.c_str(), target, sizeof(target));
  if (size >= 0) return std::string(target, static_cast<size_t>(size));
  if (errno == ENOENT) return std::nullopt;
  if (errno == EINVAL) return absl::DataLossError("is not a symbolic link");
  return absl::ErrnoToStatus(errno, "cannot be read as a link");
}

}  // namespace state
}  // namespace external_containerizer

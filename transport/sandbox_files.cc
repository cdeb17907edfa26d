// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/sandbox_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "external_containerizer/transport/linux/open_beneath.h"

namespace external_containerizer {
namespace {

// Other processes may change the directory meanwhile, so opening is tried
// again.
constexpr int kAttempts = 3;

std::string Quoted(absl::string_view text) {
  return absl::StrCat("\"", absl::CHexEscape(text), "\"");
}

absl::Status FileError(absl::string_view what, absl::string_view path,
                       absl::string_view why) {
  return absl::FailedPreconditionError(
      absl::StrCat(what, " ", Quoted(path), ": ", why));
}

absl::Status FileError(absl::string_view what, absl::string_view path,
                       int error) {
  if (error == EMFILE || error == ENFILE || error == ENOMEM) {
    return absl::ResourceExhaustedError(
        absl::StrCat(what, " ", Quoted(path), ": ", strerror(error)));
  }
  return FileError(what, path, absl::string_view(strerror(error)));
}

absl::Status SandboxError(const Sandbox& sandbox, int error) {
  if (error == ELOOP || error == EXDEV) {
    return FileError("cannot use the sandbox", sandbox.FullPath(),
                     "there is a symbolic link on the way to it");
  }
  return FileError("cannot use the sandbox", sandbox.FullPath(), error);
}

absl::Status CheckPath(const Sandbox& sandbox) {
  bool good = !sandbox.root.empty() && sandbox.root[0] == '/' &&
              !sandbox.path.empty() && sandbox.path[0] != '/' &&
              sandbox.root.find('\0') == std::string::npos &&
              sandbox.path.find('\0') == std::string::npos;
  for (absl::string_view component : absl::StrSplit(sandbox.path, '/')) {
    good = good && component != "..";
  }
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("no path of a sandbox: ", Quoted(sandbox.path), " below ",
                   Quoted(sandbox.root)));
}

absl::StatusOr<UniqueFd> OpenRoot(const Sandbox& sandbox) {
  const absl::Status status = CheckPath(sandbox);
  if (!status.ok()) return status;
  // The operator chose the root, and may use links in its path.
  UniqueFd root(open(sandbox.root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) {
    return FileError("cannot use the directory of sandboxes", sandbox.root,
                     errno);
  }
  return root;
}

const char* KindOf(const struct stat& info) {
  if (S_ISLNK(info.st_mode)) return "a symbolic link";
  if (S_ISFIFO(info.st_mode)) return "a FIFO";
  if (S_ISDIR(info.st_mode)) return "a directory";
  if (S_ISSOCK(info.st_mode)) return "a socket";
  if (!S_ISREG(info.st_mode)) return "a device";
  return nullptr;
}

absl::Status CheckFile(const struct stat& info, const std::string& path) {
  constexpr const char* kWhat = "refusing to write to";
  if (const char* kind = KindOf(info)) {
    return FileError(kWhat, path, absl::StrCat("it is ", kind));
  }
  if (info.st_nlink > 1) {
    return FileError(kWhat, path, "it is a hard link to another file");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<UniqueFd> OpenSandbox(const Sandbox& sandbox) {
  const absl::StatusOr<UniqueFd> root = OpenRoot(sandbox);
  if (!root.ok()) return root.status();
  UniqueFd directory = OpenBeneath(root->get(), sandbox.path,
                                   O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  if (!directory.valid()) return SandboxError(sandbox, errno);
  return directory;
}

std::string SandboxIdentity(int directory) {
  struct statx info;
  if (statx(directory, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &info) !=
      0) {
    return "";
  }
  // On a file system without birth times the time is always zero.
  return absl::StrCat(info.stx_dev_major, ":", info.stx_dev_minor, " ",
                      info.stx_ino, " ", info.stx_btime.tv_sec, ".",
                      info.stx_btime.tv_nsec);
}

absl::StatusOr<UniqueFd> OpenSandboxForLaunch(const Sandbox& sandbox) {
  absl::StatusOr<UniqueFd> directory = OpenSandbox(sandbox);
  if (!directory.ok() || sandbox.identity.empty()) return directory;
  const std::string identity = SandboxIdentity(directory->get());
  if (identity.empty() || identity == sandbox.identity) return directory;
  return FileError("cannot use the sandbox", sandbox.FullPath(),
                   "another directory has taken its place");
}

absl::StatusOr<AppendedFile> OpenForAppending(
    int directory, const std::string& name,
    const std::optional<Sandbox::Owner>& owner, const std::string& where) {
  const std::string path = absl::StrCat(where, "/", name);
  // O_NONBLOCK, so that a FIFO or a lease that appears meanwhile cannot block.
  // It is cleared below.
  constexpr int kFlags =
      O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  for (int attempt = 1;; ++attempt) {
    struct stat info;
    bool made = false;
    UniqueFd fd;
    // Checked before it is opened, because opening can change the state of a
    // device.
    if (fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) {
      const absl::Status status = CheckFile(info, path);
      if (!status.ok()) return status;
      fd.Reset(openat(directory, name.c_str(), kFlags));
    } else if (errno == ENOENT) {
      fd.Reset(
          openat(directory, name.c_str(), kFlags | O_CREAT | O_EXCL, 0644));
      made = fd.valid();
    }
    if (!fd.valid()) {
      const bool raced = errno == EEXIST || errno == ENOENT;
      if (raced && attempt < kAttempts) continue;
      return FileError("cannot write to", path, errno);
    }
    if (fstat(fd.get(), &info) != 0) {
      return FileError("cannot write to", path, errno);
    }
    const absl::Status status = CheckFile(info, path);
    if (!status.ok()) return status;
    if (made) {
      // open() applied the umask. The owner is set last: afterwards the file
      // may belong to another user.
      if (fchmod(fd.get(), 0644) != 0) {
        return FileError("cannot set the mode of", path, errno);
      }
      if (owner.has_value() && fchown(fd.get(), owner->uid, owner->gid) != 0) {
        return FileError("cannot give", path,
                         absl::StrCat("to user ", owner->uid, " and group ",
                                      owner->gid, ": ", strerror(errno)));
      }
    }
    if (fcntl(fd.get(), F_SETFL, O_APPEND) != 0) {
      return FileError("cannot write to", path, errno);
    }
    AppendedFile file;
    file.fd = std::move(fd);
    file.device = info.st_dev;
    file.inode = info.st_ino;
    file.offset = info.st_size;
    return file;
  }
}

std::string ReadAppended(int directory, const std::string& name,
                         const AppendedFile& file, size_t max_bytes) {
  struct stat info;
  const auto same = [&] {
    return S_ISREG(info.st_mode) && info.st_dev == file.device &&
           info.st_ino == file.inode;
  };
  if (fstatat(directory, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
      !same()) {
    return "";
  }
  const UniqueFd fd(openat(directory, name.c_str(),
                           O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd.valid() || fstat(fd.get(), &info) != 0 || !same()) return "";
  // A file that is shorter than before was emptied since.
  const off_t first = info.st_size < file.offset ? 0 : file.offset;
  const off_t begin =
      std::max(first, info.st_size - static_cast<off_t>(max_bytes));
  std::string text(static_cast<size_t>(info.st_size - begin), '\0');
  const ssize_t size = pread(fd.get(), text.data(), text.size(), begin);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  const size_t line_end = text.find('\n');
  if (begin > first && line_end < text.size() - 1) {
    text.erase(0, line_end + 1);  // Drops the rest of a line.
  }
  return text;
}

}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/run_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "external_containerizer/transport/linux/random_name.h"

namespace external_containerizer {
namespace {

constexpr char kRecordName[] = "run.record";
constexpr char kTemporaryName[] = "run.record.new";
constexpr char kProgramField[] = "program ";
constexpr size_t kMostRecordBytes = 64 << 10;
constexpr size_t kMostDirectories = 10000;

// Opens <work_dir>/run. Its owner could replace the run's directory, so it must
// be root or this user.
absl::StatusOr<UniqueFd> OpenParent(const std::string& work_dir, bool make) {
  const std::string path = absl::StrCat(work_dir, "/run");
  if (make) {
    absl::Status made = MakePath(work_dir);
    if (!made.ok()) return made;
    if (mkdir(path.c_str(), 0700) == 0) {
      // Like /tmp: all users may add directories, and none may touch another's.
      if (geteuid() == 0 && chmod(path.c_str(), 01777) != 0) {
        return FileError("open to all users", path, errno);
      }
    } else if (errno != EEXIST) {
      return FileError("make the directory", path, errno);
    }
  }
  UniqueFd parent(
      open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status;
  if (!parent.valid() || fstat(parent.get(), &status) != 0) {
    return FileError("open the directory", path, errno);
  }
  const bool ours = status.st_uid == geteuid();
  if (!ours && status.st_uid != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(absl::CHexEscape(path), " belongs to the user with id ",
                     status.st_uid, "; name another place with --work_dir"));
  }
  if ((status.st_mode & 0022) != 0 && (status.st_mode & S_ISVTX) == 0) {
    return absl::PermissionDeniedError(absl::StrCat(
        absl::CHexEscape(path),
        " can be changed by other users; chmod +t it, or name another place "
        "with --work_dir"));
  }
  return parent;
}

}  // namespace

RunDirectory::RunDirectory(UniqueFd parent, UniqueFd directory,
                           std::string path, std::string name)
    : parent_(std::move(parent)),
      directory_(std::move(directory)),
      path_(std::move(path)),
      name_(std::move(name)) {}

// UNAVAILABLE if another process has the lock, or if the directory is gone or
// belongs to another user.
absl::StatusOr<UniqueFd> RunDirectory::Lock(int parent,
                                            const std::string& name) {
  UniqueFd directory(openat(parent, name.c_str(),
                            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat opened, named;
  if (!directory.valid() || fstat(directory.get(), &opened) != 0) {
    return errno == ENOENT ? absl::UnavailableError("gone")
                           : FileError("open", name, errno);
  }
  if (opened.st_uid != geteuid()) return absl::UnavailableError("not ours");
  if (flock(directory.get(), LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? absl::UnavailableError("locked")
                                : FileError("lock", name, errno);
  }
  // The last holder of the lock may have removed the directory meanwhile.
  if (fstatat(parent, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) != 0 ||
      named.st_ino != opened.st_ino || named.st_dev != opened.st_dev) {
    return absl::UnavailableError("gone");
  }
  return directory;
}

absl::StatusOr<RunDirectory> RunDirectory::Create(const std::string& work_dir) {
  absl::StatusOr<UniqueFd> parent = OpenParent(work_dir, /*make=*/true);
  if (!parent.ok()) return parent.status();
  // Another run may take the new directory for a leftover before it is locked.
  constexpr int kAttempts = 100;
  for (int i = 0; i < kAttempts; ++i) {
    std::string name = RandomName();
    std::string path = absl::StrCat(work_dir, "/run/", name);
    if (mkdirat(parent->get(), name.c_str(), 0700) != 0) {
      return FileError("make the directory", path, errno);
    }
    absl::StatusOr<UniqueFd> directory = Lock(parent->get(), name);
    if (directory.ok()) {
      return RunDirectory(*std::move(parent), *std::move(directory),
                          std::move(path), std::move(name));
    }
    if (!absl::IsUnavailable(directory.status())) {
      unlinkat(parent->get(), name.c_str(), AT_REMOVEDIR);
      return directory.status();
    }
  }
  return absl::UnavailableError(
      absl::StrCat("others take every directory away that is made in ",
                   absl::CHexEscape(work_dir), "/run"));
}

std::vector<RunDirectory> RunDirectory::ClaimLeftovers(
    const std::string& work_dir, size_t most) {
  std::vector<RunDirectory> claimed;
  const absl::StatusOr<UniqueFd> parent = OpenParent(work_dir, /*make=*/false);
  if (!parent.ok()) return claimed;
  const absl::StatusOr<std::vector<std::string>> names =
      NamesIn(parent->get(), kMostDirectories);
  if (!names.ok()) return claimed;
  for (const std::string& name : *names) {
    if (claimed.size() == most) break;
    absl::StatusOr<UniqueFd> directory = Lock(parent->get(), name);
    if (!directory.ok()) continue;
    UniqueFd own_parent(fcntl(parent->get(), F_DUPFD_CLOEXEC, 0));
    if (!own_parent.valid()) break;
    claimed.push_back(RunDirectory(std::move(own_parent), *std::move(directory),
                                   absl::StrCat(work_dir, "/run/", name),
                                   name));
  }
  return claimed;
}

state::RunId RunDirectory::run() const {
  return {absl::StrCat("agent-", name_), "run", "command",
          absl::StrCat("run-", name_)};
}

absl::Status RunDirectory::WriteProgram(const std::string& command_line) const {
  const std::string shown = absl::StrCat(path_, "/", kRecordName);
  const std::string text =
      absl::StrCat(kProgramField, absl::CEscape(command_line), "\n");
  const UniqueFd file(
      openat(fd(), kTemporaryName,
             O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.valid()) return FileError("write", shown, errno);
  const ssize_t written = write(file.get(), text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size())) {
    return FileError("write", shown, written < 0 ? errno : ENOSPC);
  }
  if (renameat(fd(), kTemporaryName, fd(), kRecordName) != 0) {
    return FileError("write", shown, errno);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> RunDirectory::ReadProgram() const {
  const std::string shown = absl::StrCat(path_, "/", kRecordName);
  const UniqueFd file(openat(fd(), kRecordName,
                             O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid()) {
    if (errno == ENOENT) return std::nullopt;
    return FileError("read", shown, errno);
  }
  std::string text(kMostRecordBytes, '\0');
  const ssize_t got = read(file.get(), &text[0], text.size());
  if (got < 0) return FileError("read", shown, errno);
  text.resize(static_cast<size_t>(got));
  // Earlier releases wrote more lines, which are not needed.
  absl::string_view line = text;
  line = line.substr(0, line.find('\n'));
  std::string command_line;
  if (line.size() == text.size() ||
      !absl::ConsumePrefix(&line, kProgramField) ||
      !absl::CUnescape(line, &command_line) || command_line.empty()) {
    return absl::DataLossError(
        absl::StrCat(absl::CHexEscape(shown), " is damaged"));
  }
  return command_line;
}

void RunDirectory::Abandon() { flock(fd(), LOCK_UN); }

absl::Status RunDirectory::Remove() && {
  const RunDirectory self = std::move(*this);
  return RemoveTree(self.parent_.get(), self.name_);
}

}  // namespace external_containerizer

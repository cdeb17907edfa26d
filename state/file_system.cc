// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/file_system.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/state/directory.h"
#include "external_containerizer/transport/linux/open_beneath.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace state {
namespace {

absl::Status Error(absl::string_view what, absl::string_view path) {
  return absl::ErrnoToStatus(
      errno, absl::StrCat("cannot ", what, " ", absl::CHexEscape(path)));
}

class PosixFileSystem : public FileSystem {
 public:
  PosixFileSystem(UniqueFd root, Directory directory)
      : root_(std::move(root)), directory_(std::move(directory)) {}

  absl::Status MakeDirectory(const std::string& path) override {
    const Place place = Resolve(path);
    if (place.parent.valid() &&
        mkdirat(place.parent.get(), place.name.c_str(), 0755) == 0) {
      return absl::OkStatus();
    }
    return Error("make the directory", path);
  }

  absl::Status MakeLink(const std::string& target,
                        const std::string& path) override {
    const Place place = Resolve(path);
    if (place.parent.valid() && symlinkat(target.c_str(), place.parent.get(),
                                          place.name.c_str()) == 0) {
      return absl::OkStatus();
    }
    return Error("make the link", path);
  }

  absl::Status MakeFile(const std::string& path, absl::string_view bytes,
                        mode_t mode) override {
    const UniqueFd fd =
        OpenBeneath(root_.get(), path,
                    O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOCTTY, mode);
    if (!fd.valid()) return Error("make the file", path);
    while (!bytes.empty()) {
      const ssize_t count = write(fd.get(), bytes.data(), bytes.size());
      if (count >= 0) {
        bytes.remove_prefix(static_cast<size_t>(count));
      } else if (errno != EINTR) {
        return Error("write to", path);
      }
    }
    return fsync(fd.get()) == 0 ? absl::OkStatus() : Error("sync", path);
  }

  absl::StatusOr<std::optional<std::string>> ReadFile(const std::string& path,
                                                      size_t max) override {
    std::string buffer;
    const auto bytes = directory_.Read(path, max, buffer);
    if (!bytes.ok()) {
      return absl::Status(
          bytes.status().code(),
          absl::StrCat(absl::CHexEscape(path), " ", bytes.status().message()));
    }
    if (!*bytes) return std::nullopt;
    buffer.resize((*bytes)->size());
    return buffer;
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    const Place old_place = Resolve(from);
    const Place new_place = Resolve(to);
    if (old_place.parent.valid() && new_place.parent.valid() &&
        renameat(old_place.parent.get(), old_place.name.c_str(),
                 new_place.parent.get(), new_place.name.c_str()) == 0) {
      return absl::OkStatus();
    }
    return Error("replace", to);
  }

  absl::Status Remove(const std::string& path) override {
    const Place place = Resolve(path);
    if (place.parent.valid() &&
        (unlinkat(place.parent.get(), place.name.c_str(), 0) == 0 ||
         (errno == EISDIR && unlinkat(place.parent.get(), place.name.c_str(),
                                      AT_REMOVEDIR) == 0))) {
      return absl::OkStatus();
    }
    return Error("remove", path);
  }

  absl::Status RemoveTree(const std::string& path) override {
    constexpr size_t kNoBound = std::numeric_limits<size_t>::max();
    auto directory = directory_.Open(path);
    if (!directory.ok()) return directory.status();
    if (!*directory) return absl::OkStatus();
    const auto entries = (*directory)->List(kNoBound);
    if (!entries.ok()) return entries.status();
    for (const Directory::Entry& entry : *entries) {
      const std::string name = absl::StrCat(path, "/", entry.name);
      absl::Status status = entry.type == Directory::Type::kDirectory
                                ? RemoveTree(name)
                                : Remove(name);
      if (!status.ok()) return status;
    }
    return Remove(path);
  }

  absl::Status SyncDirectory(const std::string& path) override {
    const UniqueFd fd = OpenBeneath(root_.get(), path, O_RDONLY | O_DIRECTORY);
    if (fd.valid() && fsync(fd.get()) == 0) return absl::OkStatus();
    return Error("sync the directory", path);
  }

 private:
  // A name in a directory. No link led there.
  struct Place {
    UniqueFd parent;
    std::string name;
  };

  Place Resolve(const std::string& path) const {
    const size_t slash = path.rfind('/');
    if (slash == path.npos) {
      return {OpenBeneath(root_.get(), ".", O_PATH | O_DIRECTORY), path};
    }
    return {
        OpenBeneath(root_.get(), path.substr(0, slash), O_PATH | O_DIRECTORY),
        path.substr(slash + 1)};
  }

  const UniqueFd root_;
  const Directory directory_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<FileSystem>> OpenFileSystem(
    const std::string& root) {
  absl::StatusOr<Directory> directory = Directory::OpenRoot(root);
  UniqueFd fd(open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return Error("open the directory", root);
  if (!directory.ok()) return directory.status();
  return std::make_unique<PosixFileSystem>(std::move(fd),
                                           std::move(*directory));
}

}  // namespace state
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/posix/old_records.h"
#include "external_containerizer/containerizer/posix/records.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/containerizer/posix/small_files.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

constexpr size_t kMaxLimits = 256;

absl::Status Cannot(absl::string_view what, absl::string_view path) {
  const int error = errno;
  return ErrnoStatus(absl::StrCat("cannot ", what, " ", path), error);
}

absl::Status NotFound() { return absl::NotFoundError("no such container"); }

// Makes and opens a directory that nobody else may write to, or, with
// `private_to_us`, enter.
absl::StatusOr<UniqueFd> MakeDirectory(int parent, const std::string& path,
                                       const std::string& name,
                                       bool private_to_us) {
  if (mkdirat(parent, name.c_str(), private_to_us ? 0700 : 0755) == 0) {
    // Files in it are as durable as its own entry. The parent of a fallback is
    // not ours to sync.
    if (parent != AT_FDCWD) fsync(parent);
  } else if (errno != EEXIST) {
    return Cannot("make the directory", path);
  }
  UniqueFd fd(openat(parent, name.c_str(),
                     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status;
  if (!fd.valid() || fstat(fd.get(), &status) != 0) {
    return Cannot("open the directory", path);
  }
  if (status.st_uid != geteuid() ||
      (status.st_mode & (private_to_us ? 077 : 022)) != 0) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the directory ", path, " must belong to the user ", geteuid(),
        private_to_us ? " and be accessible to nobody else"
                      : " and be writable by nobody else"));
  }
  return fd;
}

bool Flock(int fd, int operation) {
  while (flock(fd, operation) != 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

// Returns whether the file still has a name: the container was not destroyed.
bool IsThere(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && status.st_nlink > 0;
}

}  // namespace

StorePlace StorePlaceOf(const Context& context) {
  if (!context.work_directory.empty()) return {context.work_directory};
  const auto runtime = context.environment.find("XDG_RUNTIME_DIR");
  return {runtime != context.environment.end() && !runtime->second.empty()
              ? absl::StrCat(runtime->second, "/posix-containerizer")
              : absl::StrCat("/tmp/posix-containerizer-", geteuid()),
          /*is_fallback=*/true};
}

std::string ContainersPath(const StorePlace& place) {
  return absl::StrCat(place.path, "/program/posix/containers");
}

absl::StatusOr<std::shared_ptr<ContainerStore>> ContainerStore::Open(
    const StorePlace& place) {
  UniqueFd base;
  std::string path = place.path;
  if (path.empty() || path[0] != '/') {
    return absl::FailedPreconditionError(absl::StrCat(
        "the work directory (MESOS_WORK_DIRECTORY) must be an absolute path, "
        "not \"",
        path, "\""));
  }
  if (place.is_fallback) {
    absl::StatusOr<UniqueFd> made =
        MakeDirectory(AT_FDCWD, path, path, /*private_to_us=*/true);
    if (!made.ok()) return made.status();
    base = *std::move(made);
  } else {
    base.Reset(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!base.valid()) {
      return Cannot("open the work directory (MESOS_WORK_DIRECTORY)", path);
    }
  }
  const struct {
    const char* name;
    bool private_to_us;
  } steps[] = {{"program", false}, {"posix", true}};
  for (const auto& step : steps) {
    absl::StrAppend(&path, "/", step.name);
    absl::StatusOr<UniqueFd> made =
        MakeDirectory(base.get(), path, step.name, step.private_to_us);
    if (!made.ok()) return made.status();
    base = *std::move(made);
  }
  std::shared_ptr<ContainerStore> store(new ContainerStore);
  store->path_ = path;
  const struct {
    const char* name;
    UniqueFd* fd;
  } parts[] = {{"containers", &store->containers_},
               {"limits", &store->limits_},
               {"new", &store->new_}};
  for (const auto& part : parts) {
    absl::StatusOr<UniqueFd> made =
        MakeDirectory(base.get(), absl::StrCat(path, "/", part.name), part.name,
                      /*private_to_us=*/true);
    if (!made.ok()) return made.status();
    *part.fd = *std::move(made);
  }
  return store;
}

bool ContainerStore::IsAt(const StorePlace& place) const {
  const std::string path = ContainersPath(place);
  struct stat named, opened;
  return lstat(path.c_str(), &named) == 0 &&
         fstat(containers_.get(), &opened) == 0 &&
         named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

absl::StatusOr<UniqueFd> ContainerStore::Create(const std::string& id) {
  UniqueFd fd(openat(containers_.get(), id.c_str(),
                     O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    if (errno == EEXIST) {
      return absl::AlreadyExistsError(
          "it exists already; destroy it before launching it again");
    }
    return Cannot("make", "the container's file");
  }
  if (!Flock(fd.get(), LOCK_EX)) {
    return Cannot("lock", "the container's file");
  }
  if (!IsThere(fd.get())) {
    return absl::AbortedError("it was destroyed while it was launched");
  }
  if (fsync(containers_.get()) != 0) {
    const absl::Status status = Cannot("sync", "the list of containers");
    (void)Remove(id);
    return status;
  }
  return fd;
}

absl::StatusOr<std::optional<UniqueFd>> ContainerStore::Lock(
    const std::string& id, int operation) const {
  UniqueFd fd(openat(containers_.get(), id.c_str(),
                     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid()) {
    if (errno == ENOENT) return NotFound();
    return Cannot("open", "the container's file");
  }
  if (!Flock(fd.get(), operation)) {
    if (errno == EWOULDBLOCK) return std::optional<UniqueFd>();
    return Cannot("lock", "the container's file");
  }
  if (!IsThere(fd.get())) return NotFound();
  return std::optional<UniqueFd>(std::move(fd));
}

absl::StatusOr<UniqueFd> ContainerStore::OpenLaunched(
    const std::string& id) const {
  absl::StatusOr<std::optional<UniqueFd>> fd = Lock(id, LOCK_SH);
  if (!fd.ok()) return fd.status();
  Flock((*fd)->get(), LOCK_UN);
  return **std::move(fd);
}

absl::StatusOr<UniqueFd> ContainerStore::Lock(const std::string& id) const {
  absl::StatusOr<std::optional<UniqueFd>> fd = Lock(id, LOCK_EX);
  if (!fd.ok()) return fd.status();
  return **std::move(fd);
}

absl::StatusOr<std::optional<UniqueFd>> ContainerStore::TryLock(
    const std::string& id) const {
  return Lock(id, LOCK_EX | LOCK_NB);
}

absl::Status ContainerStore::Remove(const std::string& id) {
  // The container's file goes last: as long as it exists, destroy is repeated.
  const struct {
    const UniqueFd* directory;
    const char* name;
  } files[] = {
      {&new_, "new"}, {&limits_, "limits"}, {&containers_, "containers"}};
  for (const auto& file : files) {
    if (unlinkat(file.directory->get(), id.c_str(), 0) != 0 &&
        errno != ENOENT) {
      return Cannot("remove", absl::StrCat(path_, "/", file.name, "/", id));
    }
  }
  if (fsync(containers_.get()) != 0) {
    return Cannot("sync", "the list of containers");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ContainerStore::List() const {
  std::optional<std::vector<std::string>> ids = NamesIn(containers_.get(), ".");
  if (!ids.has_value()) return Cannot("read", "the list of containers");
  return *std::move(ids);
}

absl::Status ContainerStore::WriteLimits(const std::string& id,
                                         const Limits& limits) {
  Limits message = limits;
  message.set_version(kRecordVersion);
  const std::string text = FramedRecord(message.SerializeAsString());
  const UniqueFd fd(
      openat(new_.get(), id.c_str(),
             O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid() ||
      write(fd.get(), text.data(), text.size()) !=
          static_cast<ssize_t>(text.size()) ||
      fsync(fd.get()) != 0 ||
      renameat(new_.get(), id.c_str(), limits_.get(), id.c_str()) != 0 ||
      fsync(limits_.get()) != 0) {
    return Cannot("write", "the container's limits");
  }
  return absl::OkStatus();
}

UniqueFd ContainerStore::OpenLimits(const std::string& id) const {
  return UniqueFd(openat(limits_.get(), id.c_str(),
                         O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
}

Limits ContainerStore::ReadLimits(const std::string& id) const {
  return ReadLimits(OpenLimits(id).get());
}

Limits ContainerStore::ReadLimits(int fd) {
  const std::string file = ReadSmallFile(fd, kMaxLimits).value_or("");
  const std::optional<absl::string_view> record = RecordScanner(file).Next();
  Limits limits;
  if (!record.has_value() ||
      !limits.ParseFromArray(record->data(),
                             static_cast<int>(record->size()))) {
    return ParseOldLimits(file);
  }
  return limits.version() > kRecordVersion ? Limits() : limits;
}

}  // namespace posix_internal
}  // namespace external_containerizer

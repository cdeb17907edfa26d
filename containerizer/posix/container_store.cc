// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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

namespace external_containerizer {
namespace posix_internal {
namespace {

absl::Status ErrnoStatus(absl::string_view what, absl::string_view path) {
  const int error = errno;
  const std::string message =
      absl::StrCat("cannot ", what, " ", path, ": ", strerror(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
      return absl::FailedPreconditionError(message);
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSPC:
    case EDQUOT:
    case EIO:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::InternalError(message);
  }
}

absl::Status NotFound() { return absl::NotFoundError("no such container"); }

// `private_to_us`: nobody else may look into it.
absl::StatusOr<UniqueFd> MakeDirectory(int parent, const std::string& path,
                                       const std::string& name,
                                       bool private_to_us) {
  if (mkdirat(parent, name.c_str(), private_to_us ? 0700 : 0755) == 0) {
    // What is in it is only as durable as its own entry. Of a name that was
    // given as a path, the parent is not ours to sync.
    if (parent != AT_FDCWD) fsync(parent);
  } else if (errno != EEXIST) {
    return ErrnoStatus("make the directory", path);
  }
  UniqueFd fd(openat(parent, name.c_str(),
                     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status;
  if (!fd.valid() || fstat(fd.get(), &status) != 0) {
    return ErrnoStatus("open the directory", path);
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

// Whether the file still has a name: nobody has destroyed the container.
bool IsThere(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && status.st_nlink > 0;
}

}  // namespace

StorePlace StorePlaceOf(const Context& context) {
  if (!context.work_directory.empty()) return {context.work_directory, ""};
  const auto runtime = context.environment.find("XDG_RUNTIME_DIR");
  return {"", runtime != context.environment.end() && !runtime->second.empty()
                  ? absl::StrCat(runtime->second, "/posix-containerizer")
                  : absl::StrCat("/tmp/posix-containerizer-", geteuid())};
}

std::string ContainersPath(const StorePlace& place) {
  return absl::StrCat(
      place.work_directory.empty() ? place.fallback : place.work_directory,
      "/program/posix/containers");
}

absl::StatusOr<ContainerStore> ContainerStore::Open(
    const std::string& work_directory, const std::string& fallback) {
  UniqueFd base;
  std::string path = work_directory.empty() ? fallback : work_directory;
  if (path.empty() || path[0] != '/') {
    return absl::FailedPreconditionError(absl::StrCat(
        "the work directory (MESOS_WORK_DIRECTORY) must be an absolute path, "
        "not \"",
        path, "\""));
  }
  if (work_directory.empty()) {
    absl::StatusOr<UniqueFd> made =
        MakeDirectory(AT_FDCWD, path, fallback, /*private_to_us=*/true);
    if (!made.ok()) return made.status();
    base = *std::move(made);
  } else {
    base.Reset(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!base.valid()) {
      return ErrnoStatus("open the work directory (MESOS_WORK_DIRECTORY)",
                         path);
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
  ContainerStore store;
  store.path_ = path;
  const struct {
    const char* name;
    UniqueFd* fd;
  } parts[] = {{"containers", &store.containers_},
               {"limits", &store.limits_},
               {"new", &store.new_}};
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

absl::StatusOr<std::shared_ptr<ContainerStore>> ContainerStore::Open(
    const StorePlace& place) {
  absl::StatusOr<ContainerStore> store =
      Open(place.work_directory, place.fallback);
  if (!store.ok()) return store.status();
  return std::make_shared<ContainerStore>(*std::move(store));
}

absl::StatusOr<UniqueFd> ContainerStore::Create(const std::string& id) {
  UniqueFd fd(openat(containers_.get(), id.c_str(),
                     O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    if (errno == EEXIST) {
      return absl::AlreadyExistsError(
          "it exists already; destroy it before launching it again");
    }
    return ErrnoStatus("make", "the container's file");
  }
  if (!Flock(fd.get(), LOCK_EX)) {
    return ErrnoStatus("lock", "the container's file");
  }
  if (!IsThere(fd.get())) {
    return absl::AbortedError("it was destroyed while it was launched");
  }
  if (fsync(containers_.get()) != 0) {
    const absl::Status status = ErrnoStatus("sync", "the list of containers");
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
    return ErrnoStatus("open", "the container's file");
  }
  if (!Flock(fd.get(), operation)) {
    if (errno == EWOULDBLOCK) return std::optional<UniqueFd>();
    return ErrnoStatus("lock", "the container's file");
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
  // The container's file last: while it is there, destroy comes again.
  const struct {
    const UniqueFd* directory;
    const char* name;
  } files[] = {
      {&new_, "new"}, {&limits_, "limits"}, {&containers_, "containers"}};
  for (const auto& file : files) {
    if (unlinkat(file.directory->get(), id.c_str(), 0) != 0 &&
        errno != ENOENT) {
      return ErrnoStatus("remove",
                         absl::StrCat(path_, "/", file.name, "/", id));
    }
  }
  if (fsync(containers_.get()) != 0) {
    return ErrnoStatus("sync", "the list of containers");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> ContainerStore::List() const {
  const int fd =
      openat(containers_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* dir = fd < 0 ? nullptr : fdopendir(fd);
  if (dir == nullptr) {
    const absl::Status status = ErrnoStatus("read", "the list of containers");
    if (fd >= 0) close(fd);
    return status;
  }
  std::vector<std::string> ids;
  while (const dirent* entry = readdir(dir)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") ids.push_back(name);
  }
  closedir(dir);
  return ids;
}

absl::Status ContainerStore::WriteLimits(const std::string& id,
                                         const Limits& limits) {
  LimitsRecord message;
  message.set_version(kRecordVersion);
  if (limits.cpus.has_value()) message.set_cpus(*limits.cpus);
  if (limits.mem_mib.has_value()) message.set_mem_mib(*limits.mem_mib);
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
    return ErrnoStatus("write", "the container's limits");
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
  Limits limits;
  char buffer[256];
  const ssize_t n = pread(fd, buffer, sizeof(buffer), 0);
  if (n <= 0) return limits;
  const absl::string_view file(buffer, static_cast<size_t>(n));
  LimitsRecord message;
  const std::optional<absl::string_view> record = RecordScanner(file).Next();
  if (!record.has_value() ||
      !message.ParseFromArray(record->data(),
                              static_cast<int>(record->size()))) {
    return ParseOldLimits(file);
  }
  if (message.version() > kRecordVersion) return limits;
  if (message.has_cpus()) limits.cpus = message.cpus();
  if (message.has_mem_mib()) limits.mem_mib = message.mem_mib();
  return limits;
}

}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

constexpr size_t kMaxName = 64;

// A path as an open directory and a name in it, so that all operations use the
// same directory, also if the path leads elsewhere meanwhile.
struct Place {
  UniqueFd directory;
  std::string name;
  std::string shown;
};

absl::Status Errno(int error, absl::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(error,
                             absl::StrCat("socket \"", path, "\": ", what));
}

absl::StatusOr<Place> Open(const std::string& path, bool create) {
  const std::string shown = absl::CHexEscape(path.substr(0, 200));
  const size_t slash = path.rfind('/');
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.empty() || name.size() > kMaxName || name == "." || name == ".." ||
      path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        "socket \"", shown, "\": the name of the file must have 1 to ",
        kMaxName, " bytes"));
  }
  const std::string directory = slash == std::string::npos ? "."
                                : slash == 0               ? "/"
                                             : path.substr(0, slash);
  if (create && mkdir(directory.c_str(), 0700) < 0 && errno != EEXIST) {
    return Errno(errno, "cannot make its directory", shown);
  }
  UniqueFd fd(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return Errno(errno, "cannot open its directory", shown);
  return Place{std::move(fd), std::move(name), shown};
}

// The address of a place: short and without symlinks, however long the path is.
sockaddr_un AddressOf(const Place& place) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path =
      absl::StrCat("/proc/self/fd/", place.directory.get(), "/", place.name);
  static_assert(sizeof(address.sun_path) >
                kMaxName + sizeof("/proc/self/fd/2147483647/"));
  memcpy(address.sun_path, path.data(), path.size());
  return address;
}

absl::StatusOr<UniqueFd> MakeSocket(const std::string& shown) {
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return Errno(errno, "no descriptor", shown);
  return fd;
}

// Returns OK if the place is a socket now.
absl::Status CheckIsSocket(const Place& place) {
  struct stat info;
  if (fstatat(place.directory.get(), place.name.c_str(), &info,
              AT_SYMLINK_NOFOLLOW) < 0) {
    return Errno(errno, "cannot be looked at", place.shown);
  }
  if (S_ISSOCK(info.st_mode)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("socket \"", place.shown, "\": it is ",
                   S_ISDIR(info.st_mode)   ? "a directory"
                   : S_ISLNK(info.st_mode) ? "a symbolic link"
                   : S_ISREG(info.st_mode) ? "a file"
                                           : "no socket",
                   "; remove it or choose another path"));
}

// Sets `stale` if it is a socket at which no process listens.
absl::StatusOr<UniqueFd> Connect(const Place& place, bool& stale) {
  stale = false;
  absl::Status status = CheckIsSocket(place);
  if (!status.ok()) return status;
  auto fd = MakeSocket(place.shown);
  if (!fd.ok()) return fd.status();
  const sockaddr_un address = AddressOf(place);
  while (connect(fd->get(), reinterpret_cast<const sockaddr*>(&address),
                 sizeof(address)) < 0) {
    if (errno == EINTR) continue;
    if (errno == ECONNREFUSED) {
      stale = true;
      return absl::UnavailableError(
          absl::StrCat("socket \"", place.shown, "\": nobody listens there"));
    }
    if (errno == EAGAIN) {
      return absl::UnavailableError(absl::StrCat(
          "socket \"", place.shown, "\": its server is too busy to accept"));
    }
    return Errno(errno, "cannot connect", place.shown);
  }
  return fd;
}

absl::Status CheckDirectory(const Place& place) {
  struct stat info;
  if (fstat(place.directory.get(), &info) < 0) {
    return Errno(errno, "cannot look at its directory", place.shown);
  }
  if (info.st_uid == geteuid() && (info.st_mode & 022) == 0) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "socket \"", place.shown, "\": its directory must belong to user ",
      geteuid(),
      " and must not be writable for others, or they could replace it"));
}

// Removes a socket at which no process listens.
absl::Status RemoveStale(const Place& place) {
  bool stale;
  auto fd = Connect(place, stale);
  if (absl::IsNotFound(fd.status())) return absl::OkStatus();
  if (fd.ok()) {
    return absl::AlreadyExistsError(absl::StrCat(
        "socket \"", place.shown, "\": another server listens there"));
  }
  if (!stale) return fd.status();
  if (unlinkat(place.directory.get(), place.name.c_str(), 0) < 0 &&
      errno != ENOENT) {
    return Errno(errno, "cannot remove the stale one", place.shown);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<int> ListenUnix(const std::string& path) {
  auto place = Open(path, /*create=*/true);
  if (!place.ok()) return place.status();
  absl::Status status = CheckDirectory(*place);
  if (status.ok()) status = RemoveStale(*place);
  if (!status.ok()) return status;
  auto fd = MakeSocket(place->shown);
  if (!fd.ok()) return fd.status();
  // Before bind(), so that the file has this mode (less the umask) from the
  // start.
  if (fchmod(fd->get(), 0600) < 0) {
    return Errno(errno, "cannot set its mode", place->shown);
  }
  const sockaddr_un address = AddressOf(*place);
  if (bind(fd->get(), reinterpret_cast<const sockaddr*>(&address),
           sizeof(address)) < 0) {
    return Errno(errno, "cannot bind", place->shown);
  }
  if (listen(fd->get(), SOMAXCONN) < 0) {
    return Errno(errno, "cannot listen", place->shown);
  }
  return fd->Release();
}

absl::Status CheckPlace(const std::string& path) {
  const auto place = Open(path, /*create=*/true);
  if (!place.ok()) return place.status();
  absl::Status status = CheckDirectory(*place);
  if (status.ok()) status = CheckIsSocket(*place);
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::StatusOr<int> ConnectUnix(const std::string& path) {
  auto place = Open(path, /*create=*/false);
  if (!place.ok()) return place.status();
  bool stale;
  auto fd = Connect(*place, stale);
  if (!fd.ok()) return fd.status();
  return fd->Release();
}

absl::StatusOr<Peer> PeerOf(int fd) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) {
    return absl::ErrnoToStatus(errno, "socket: cannot tell who the peer is");
  }
  return Peer{credentials.pid, credentials.uid, credentials.gid};
}

absl::Status CheckPeer(const Peer& peer, const std::vector<uid_t>& allowed) {
  const bool ok = allowed.empty() ? peer.uid == 0 || peer.uid == geteuid()
                                  : std::find(allowed.begin(), allowed.end(),
                                              peer.uid) != allowed.end();
  if (ok) return absl::OkStatus();
  return absl::PermissionDeniedError(
      absl::StrCat("socket: the peer is process ", peer.pid, " of user ",
                   peer.uid, ", which is not allowed"));
}

}  // namespace ttrpc
}  // namespace external_containerizer

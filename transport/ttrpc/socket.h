// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Unix sockets: listens and connects at paths, and checks who the peer is.
//
//   auto fd = ConnectUnix("/run/my/socket");
//   if (!fd.ok()) return fd.status();
//   auto peer = PeerOf(*fd);
//   absl::Status status = peer.ok() ? CheckPeer(*peer, {}) : peer.status();
//
// Any thread. A path may be longer than the 107 bytes that the kernel takes;
// its last component has at most 64.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SOCKET_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SOCKET_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace external_containerizer {
namespace ttrpc {

// Listens at `path`, and returns a non-blocking descriptor that the caller
// closes.
//
// A missing directory is made, with mode 0700; its parent is not. Returns
// FAILED_PRECONDITION if another user owns the directory or can write to it, or
// if `path` is something else than a socket; ALREADY_EXISTS if a process
// listens there. A socket at which no process listens is replaced. The new one
// has mode 0600. Callers that listen at one path at the same time need a lock.
absl::StatusOr<int> ListenUnix(const std::string& path);

// Returns the error with which ListenUnix() would refuse the directory of
// `path`, which is made likewise, or the file at `path`. A caller that makes
// other files beside the socket checks before it does.
absl::Status CheckPlace(const std::string& path);

// Connects to `path`, and returns a non-blocking descriptor that the caller
// closes. Does not block. Returns NOT_FOUND if `path` does not exist,
// UNAVAILABLE if no process listens or the listener's queue is full, and
// FAILED_PRECONDITION if it is not a socket.
absl::StatusOr<int> ConnectUnix(const std::string& path);

// The process at the other end of a connection. A server sees the process that
// connected, a client the process that began to listen.
struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

absl::StatusOr<Peer> PeerOf(int fd);

// Returns PERMISSION_DENIED unless the peer's user is one of `allowed`, or, if
// that is empty, this process's user or root.
absl::Status CheckPeer(const Peer& peer, const std::vector<uid_t>& allowed);

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SOCKET_H_

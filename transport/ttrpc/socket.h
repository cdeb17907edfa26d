// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Unix sockets: where they stand, and who is at the other end. Any thread.
//
// A path may be longer than the 107 bytes that the kernel takes; its last
// component may not be longer than 64.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SOCKET_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SOCKET_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace external_containerizer {
namespace ttrpc {

// Listens at `path`; returns a descriptor of the caller's, non-blocking.
//
// The directory is made if it is missing (its parent is not), with mode 0700,
// and must be ours and nobody else's to write or FAILED_PRECONDITION is
// returned; the socket gets mode 0600. A socket there at which nobody listens
// any more is replaced, ALREADY_EXISTS if somebody does; FAILED_PRECONDITION
// if there is something else than a socket. Two that call this at the same
// time for one path need a lock of their own.
absl::StatusOr<int> ListenUnix(const std::string& path);

// Whether ListenUnix() would refuse `path` for its directory, which is made
// likewise, or for what is there: for those who have more to make beside it.
absl::Status CheckPlace(const std::string& path);

// Connects to `path`; returns a descriptor of the caller's, non-blocking. Does
// not wait: NOT_FOUND if there is nothing, UNAVAILABLE if nobody listens or the
// queue of the listener is full, FAILED_PRECONDITION if it is no socket.
absl::StatusOr<int> ConnectUnix(const std::string& path);

// The process at the other end when the connection was made (at a client: when
// the server began to listen).
struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};

absl::StatusOr<Peer> PeerOf(int fd);

// PERMISSION_DENIED unless its user is one of `allowed`; if that is empty, the
// user of this process or root.
absl::Status CheckPeer(const Peer& peer, const std::vector<uid_t>& allowed);

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SOCKET_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/server.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/ttrpc/session.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

// The number of connections that are accepted in one turn of the loop.
constexpr int kAccepts = 64;
// The pause after which descriptors or memory may be free again.
constexpr absl::Duration kAcceptPause = absl::Milliseconds(50);

// Makes a name from a peer fit for a reply.
std::string Shown(absl::string_view name) {
  return absl::Utf8SafeCHexEscape(name.substr(0, 256));
}

}  // namespace

Server::Server(EventLoop& loop, ServerOptions options)
    : loop_(loop), options_(std::move(options)) {}

Server::~Server() {
  CloseListener();
  done_ = nullptr;
  // The callbacks of their calls may look at the server.
  auto sessions = std::exchange(sessions_, {});
}

void Server::AddHandler(absl::string_view service, absl::string_view method,
                        Handler handler) {
  services_[std::string(service)].insert_or_assign(std::string(method),
                                                   std::move(handler));
}

void Server::WhenDisconnected(absl::AnyInvocable<void(uint64_t)> closed) {
  disconnected_ = std::move(closed);
}

absl::Status Server::Listen(int listener) {
  if (shutting_down_) {
    close(listener);
    return absl::FailedPreconditionError("ttrpc: the server shuts down");
  }
  CloseListener();
  listener_ = listener;
  const int flags = fcntl(listener, F_GETFL);
  int listens = 0;
  socklen_t size = sizeof(listens);
  absl::Status status;
  if (flags < 0 || fcntl(listener, F_SETFL, flags | O_NONBLOCK) < 0 ||
      getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0) {
    status = absl::ErrnoToStatus(errno, "ttrpc: not a usable listener");
  } else if (listens == 0) {
    status = absl::FailedPreconditionError(absl::StrCat(
        "ttrpc: descriptor ", listener,
        " is a socket that does not listen; a connection is for Adopt()"));
  }
  if (status.ok()) {
    status = loop_.Watch(listener_, EPOLLIN, [this](uint32_t) { Accept(); });
  }
  if (!status.ok()) CloseListener();
  return status;
}

absl::Status Server::Adopt(int fd) {
  if (connections() >= options_.max_connections) CloseOldestSilent();
  if (connections() >= options_.max_connections || shutting_down_) {
    close(fd);
    return absl::ResourceExhaustedError(
        absl::StrCat("ttrpc: no more than ", options_.max_connections,
                     " connections are served, and none while shutting down"));
  }
  auto peer = PeerOf(fd);
  if (!options_.allow_any_uid) {
    absl::Status status =
        peer.ok() ? CheckPeer(*peer, options_.allowed_uids) : peer.status();
    if (!status.ok()) {
      close(fd);
      return status;
    }
  }
  const uint64_t connection = next_connection_++;
  auto session = internal::Session::Create(
      loop_, fd, peer.ok() ? *peer : Peer(), connection, *this);
  if (!session.ok()) return session.status();
  sessions_.emplace(connection, *std::move(session));
  return absl::OkStatus();
}

void Server::Shutdown(absl::AnyInvocable<void() &&> done) {
  CloseListener();
  shutting_down_ = true;
  done_ = std::move(done);
  for (auto& [connection, session] : sessions_) session->Drain();
  if (sessions_.empty()) EndShutdownLater();
}

size_t Server::in_flight() const {
  size_t sum = 0;
  for (const auto& [connection, session] : sessions_) {
    sum += session->in_flight();
  }
  return sum;
}

absl::StatusOr<Server::Handler*> Server::Find(absl::string_view service,
                                              absl::string_view method) {
  auto methods = services_.find(service);
  if (methods == services_.end()) {
    return absl::UnimplementedError(absl::StrCat("service ", Shown(service)));
  }
  auto handler = methods->second.find(method);
  if (handler == methods->second.end()) {
    return absl::UnimplementedError(absl::StrCat("method ", Shown(method)));
  }
  return &handler->second;
}

void Server::OnClosed(uint64_t connection) {
  // The session's destructor, below, may look at the server.
  const auto session = sessions_.extract(connection);
  if (disconnected_ != nullptr) {
    loop_.Post(alive_.Guard([this, connection] { disconnected_(connection); }));
  }
  if (sessions_.empty() && done_ != nullptr) EndShutdownLater();
}

void Server::EndShutdownLater() {
  loop_.Post(alive_.Guard(std::exchange(done_, nullptr)));
}

void Server::OnHeld(ptrdiff_t more) {
  held_ += static_cast<size_t>(more);  // Wraps, as it should.
  if (held_ > options_.max_held) CloseLargest();
}

void Server::CloseLargest() {
  const auto largest = std::max_element(
      sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
        return a.second->held() < b.second->held();
      });
  if (largest == sessions_.end()) return;
  largest->second->CloseLater(absl::ResourceExhaustedError(absl::StrCat(
      "ttrpc: ", held_, " bytes are held for all connections, of them ",
      largest->second->held(), " for this one")));
}

// Returns whether a connection was closed: one from which no complete frame has
// come.
bool Server::CloseOldestSilent() {
  const auto oldest = std::find_if(
      sessions_.begin(), sessions_.end(),
      [](const auto& entry) { return !entry.second->has_had_frame(); });
  if (oldest == sessions_.end()) return false;
  // The session's destructor closes the connection.
  OnClosed(oldest->first);
  return true;
}

void Server::Accept() {
  for (int i = 0; i < kAccepts; ++i) {
    const int fd =
        accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      // The peer sees a refused connection closed.
      static_cast<void>(Adopt(fd));
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    if (errno == EINTR || errno == ECONNABORTED) continue;
    // Without descriptors or memory the listener would be ready again at once.
    if (CloseOldestSilent()) continue;
    static_cast<void>(loop_.Modify(listener_, 0));
    accept_timer_ = loop_.RunAfter(kAcceptPause, [this] {
      accept_timer_ = 0;
      static_cast<void>(loop_.Modify(listener_, EPOLLIN));
    });
    return;
  }
}

void Server::CloseListener() {
  loop_.CancelTimer(std::exchange(accept_timer_, 0));
  if (listener_ < 0) return;
  loop_.Unwatch(listener_);
  close(std::exchange(listener_, -1));
}

}  // namespace ttrpc
}  // namespace external_containerizer

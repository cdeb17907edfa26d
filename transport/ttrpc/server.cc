// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/server.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/ttrpc/session.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

// Accepted in one turn of the loop.
constexpr int kAccepts = 64;
// Until descriptors or memory may be free again.
constexpr absl::Duration kAcceptPause = absl::Milliseconds(50);

// Memory is given back when much was held, and little is held again.
constexpr size_t kMuch = 8 << 20;
constexpr size_t kLittle = 1 << 20;

// An allocator keeps what is freed below what is still in use.
void GiveMemoryBack() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

// A stranger's name in a reply.
std::string Shown(absl::string_view name) {
  return absl::Utf8SafeCHexEscape(name.substr(0, 256));
}

}  // namespace

class Server::Impl : public internal::Session::Host {
 public:
  Impl(EventLoop& loop, ServerOptions options)
      : loop_(loop), options_(std::move(options)) {}

  ~Impl() override {
    CloseListener();
    done_ = nullptr;
    // Their callbacks may look at the server.
    auto sessions = std::exchange(sessions_, {});
  }

  void AddHandler(absl::string_view service, absl::string_view method,
                  Handler handler) {
    services_[std::string(service)].insert_or_assign(std::string(method),
                                                     std::move(handler));
  }

  void WhenDisconnected(absl::AnyInvocable<void(uint64_t)> closed) {
    disconnected_ = std::move(closed);
  }

  absl::Status Listen(int listener) {
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

  absl::Status Adopt(int fd) {
    if (sessions_.size() >= options_.max_connections) CloseOldestSilent();
    if (sessions_.size() >= options_.max_connections || shutting_down_) {
      close(fd);
      return absl::ResourceExhaustedError(
          absl::StrCat("ttrpc: no more than ", options_.max_connections,
                       " connections are served, and none while shutting "
                       "down"));
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
    auto session = internal::Session::Create(
        loop_, fd, peer.ok() ? *peer : Peer(), next_connection_++, *this);
    if (!session.ok()) return session.status();
    internal::Session* key = session->get();
    silent_.emplace(key->connection(), key);
    sessions_.emplace(key, *std::move(session));
    return absl::OkStatus();
  }

  void Shutdown(absl::AnyInvocable<void() &&> done) {
    CloseListener();
    shutting_down_ = true;
    done_ = std::move(done);
    for (auto& [key, session] : sessions_) session->Drain();
    if (sessions_.empty()) EndShutdownLater();
  }

  size_t connections() const { return sessions_.size(); }

  size_t in_flight() const {
    size_t sum = 0;
    for (const auto& [key, session] : sessions_) sum += session->in_flight();
    return sum;
  }

 private:
  absl::StatusOr<Handler*> Find(absl::string_view service,
                                absl::string_view method) override {
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

  void OnSessionClosed(internal::Session* session) override {
    const uint64_t connection = session->connection();
    silent_.erase(connection);
    // Its end, below, may look at the server.
    auto node = sessions_.extract(session);
    if (disconnected_ != nullptr) {
      loop_.Post([this, connection, alive = std::weak_ptr<bool>(alive_)] {
        if (alive.lock() != nullptr) disconnected_(connection);
      });
    }
    if (sessions_.empty() && done_ != nullptr) EndShutdownLater();
  }

  void EndShutdownLater() {
    loop_.Post([done = std::exchange(done_, nullptr),
                alive = std::weak_ptr<bool>(alive_)]() mutable {
      if (alive.lock() != nullptr) std::move(done)();
    });
  }

  void OnFirstFrame(internal::Session* session) override {
    silent_.erase(session->connection());
  }

  void OnHeld(ptrdiff_t more) override {
    held_ += static_cast<size_t>(more);  // Wraps, as it should.
    most_held_ = std::max(most_held_, held_);
    if (held_ > options_.max_held) CloseLargest();
    if (most_held_ >= kMuch && held_ <= kLittle) {
      most_held_ = 0;
      loop_.Post([] { GiveMemoryBack(); });
    }
  }

  void CloseLargest() {
    const auto largest = std::max_element(
        sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
          return a.first->held() < b.first->held();
        });
    if (largest == sessions_.end()) return;
    largest->first->CloseLater(absl::ResourceExhaustedError(absl::StrCat(
        "ttrpc: ", held_, " bytes are held for all connections, of them ",
        largest->first->held(), " for this one")));
  }

  // True if there was one.
  bool CloseOldestSilent() {
    if (silent_.empty()) return false;
    internal::Session* const oldest = silent_.begin()->second;
    // Its destructor closes the connection.
    const std::unique_ptr<internal::Session> session =
        std::move(sessions_.at(oldest));
    OnSessionClosed(oldest);
    return true;
  }

  const ServerOptions& options() const override { return options_; }

  void Accept() {
    for (int i = 0; i < kAccepts; ++i) {
      const int fd =
          accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd >= 0) {
        // Whoever is refused sees its connection closed.
        static_cast<void>(Adopt(fd));
        continue;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) return;
      if (errno == EINTR || errno == ECONNABORTED) continue;
      // No descriptor, no memory: it would be ready again at once.
      if (CloseOldestSilent()) continue;
      static_cast<void>(loop_.Modify(listener_, 0));
      accept_timer_ = loop_.RunAfter(kAcceptPause, [this] {
        accept_timer_ = 0;
        static_cast<void>(loop_.Modify(listener_, EPOLLIN));
      });
      return;
    }
  }

  void CloseListener() {
    if (accept_timer_ != 0) loop_.CancelTimer(std::exchange(accept_timer_, 0));
    if (listener_ < 0) return;
    loop_.Unwatch(listener_);
    close(std::exchange(listener_, -1));
  }

  EventLoop& loop_;
  const ServerOptions options_;
  absl::flat_hash_map<std::string, absl::flat_hash_map<std::string, Handler>>
      services_;
  absl::flat_hash_map<internal::Session*, std::unique_ptr<internal::Session>>
      sessions_;
  // Sessions from which no whole frame has come; the oldest has the least
  // number.
  std::map<uint64_t, internal::Session*> silent_;
  size_t held_ = 0;       // By all sessions.
  size_t most_held_ = 0;  // Since memory was given back.
  int listener_ = -1;
  EventLoop::TimerId accept_timer_ = 0;
  bool shutting_down_ = false;
  absl::AnyInvocable<void() &&> done_;
  uint64_t next_connection_ = 1;
  absl::AnyInvocable<void(uint64_t)> disconnected_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

Server::Server(EventLoop& loop, ServerOptions options)
    : impl_(std::make_unique<Impl>(loop, std::move(options))) {}
Server::~Server() = default;

void Server::AddHandler(absl::string_view service, absl::string_view method,
                        Handler handler) {
  impl_->AddHandler(service, method, std::move(handler));
}
void Server::WhenDisconnected(absl::AnyInvocable<void(uint64_t)> closed) {
  impl_->WhenDisconnected(std::move(closed));
}
absl::Status Server::Listen(int listener) { return impl_->Listen(listener); }
absl::Status Server::Adopt(int fd) { return impl_->Adopt(fd); }
void Server::Shutdown(absl::AnyInvocable<void() &&> done) {
  impl_->Shutdown(std::move(done));
}
size_t Server::connections() const { return impl_->connections(); }
size_t Server::in_flight() const { return impl_->in_flight(); }

}  // namespace ttrpc
}  // namespace external_containerizer

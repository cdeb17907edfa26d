// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The peers that are not written in Go.

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "external_containerizer/testing/benchmarks/peers.h"
#include "external_containerizer/testing/ttrpc/interop.pb.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/ttrpc/socket.h"

namespace external_containerizer {
namespace {

using interop::Message;

constexpr ttrpc::Method<Message, Message> kEcho{"interop.v1.Peer", "Echo"};

// Takes the client's lines, and answers each with the time that it took.
absl::Status Obey(
    const std::function<absl::Status(int callers, int calls)>& make_calls) {
  int callers, calls;
  while (std::cin >> callers >> calls) {
    const absl::Time begin = absl::Now();
    absl::Status status = make_calls(callers, calls);
    if (!status.ok()) return status;
    std::cout << absl::ToInt64Nanoseconds(absl::Now() - begin) << std::endl;
  }
  return absl::OkStatus();
}

absl::Status ServeTtrpc(const std::string& socket) {
  const auto loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  ttrpc::Server server(**loop);
  ttrpc::AddHandler(server, kEcho,
                    [](const ttrpc::CallContext&, Message request,
                       ttrpc::TypedResponder<Message> responder) {
                      responder.Finish(request);
                    });
  const absl::StatusOr<int> listener = ttrpc::ListenUnix(socket);
  if (!listener.ok()) return listener.status();
  absl::Status status = server.Listen(*listener);
  if (!status.ok()) return status;
  std::cout << "ready" << std::endl;
  (*loop)->Run();
  return absl::OkStatus();
}

// Keeps a number of calls under way.
class TtrpcCaller {
 public:
  TtrpcCaller(EventLoop& loop, ttrpc::Client& client)
      : loop_(loop), client_(client) {
    request_.set_data(std::string(kPeerBytes, 'x'));
  }

  absl::Status Make(int callers, int calls) {
    to_begin_ = calls;
    to_end_ = calls;
    for (int i = 0; i < callers; ++i) Next();
    loop_.Run();
    return status_;
  }

 private:
  void Next() {
    if (to_begin_ == 0) return;
    --to_begin_;
    ttrpc::Call(client_, kEcho, request_, {},
                [this](ttrpc::CallResult<Message> result) {
                  if (!result.reply.ok()) {
                    status_ = result.reply.status();
                  } else if (result.reply->data().size() != kPeerBytes) {
                    status_ = absl::InternalError("no echo");
                  }
                  if (--to_end_ == 0 || !status_.ok()) {
                    loop_.Stop();
                  } else {
                    Next();
                  }
                });
  }

  EventLoop& loop_;
  ttrpc::Client& client_;
  Message request_;
  int to_begin_ = 0, to_end_ = 0;
  absl::Status status_;
};

absl::Status CallTtrpc(const std::string& socket) {
  const auto loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  const auto client = ttrpc::Client::Connect(**loop, socket);
  if (!client.ok()) return client.status();
  TtrpcCaller caller(**loop, **client);
  return Obey(
      [&](int callers, int calls) { return caller.Make(callers, calls); });
}

bool ReadAll(int fd, char* bytes) {
  size_t have = 0;
  while (have < kPeerBytes) {
    const ssize_t n = read(fd, bytes + have, kPeerBytes - have);
    if (n <= 0) return false;
    have += static_cast<size_t>(n);
  }
  return true;
}

bool WriteAll(int fd, const char* bytes) {
  return send(fd, bytes, kPeerBytes, MSG_NOSIGNAL) == kPeerBytes;
}

absl::StatusOr<sockaddr_un> AddressOf(const std::string& socket) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(absl::StrCat("too long: ", socket));
  }
  memcpy(address.sun_path, socket.data(), socket.size());
  return address;
}

absl::Status ServeBare(const std::string& path) {
  const absl::StatusOr<sockaddr_un> address = AddressOf(path);
  if (!address.ok()) return address.status();
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&*address),
           sizeof(*address)) != 0 ||
      listen(listener, 1) != 0) {
    return absl::ErrnoToStatus(errno, "cannot listen");
  }
  std::cout << "ready" << std::endl;
  const int fd = accept(listener, nullptr, nullptr);
  char bytes[kPeerBytes];
  while (ReadAll(fd, bytes) && WriteAll(fd, bytes)) {
  }
  return absl::OkStatus();
}

absl::Status CallBare(const std::string& path) {
  const absl::StatusOr<sockaddr_un> address = AddressOf(path);
  if (!address.ok()) return address.status();
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&*address),
              sizeof(*address)) != 0) {
    return absl::ErrnoToStatus(errno, "cannot connect");
  }
  return Obey([fd](int, int calls) {
    char bytes[kPeerBytes] = {};
    for (int i = 0; i < calls; ++i) {
      if (!WriteAll(fd, bytes) || !ReadAll(fd, bytes)) {
        return absl::InternalError("no echo");
      }
    }
    return absl::OkStatus();
  });
}

}  // namespace

bool IsPeerRole(const std::string& role) {
  return role == "ttrpc_server" || role == "ttrpc_client" ||
         role == "bare_server" || role == "bare_client";
}

absl::Status PlayPeerRole(const std::string& role, const std::string& socket) {
  if (role == "ttrpc_server") return ServeTtrpc(socket);
  if (role == "ttrpc_client") return CallTtrpc(socket);
  return role == "bare_server" ? ServeBare(socket) : CallBare(socket);
}

}  // namespace external_containerizer

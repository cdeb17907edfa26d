// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// One connection of a server: checks requests by the rules of ttrpc, and keeps
// the calls in flight.
//
//   auto session = Session::Create(loop, fd, peer, number, server);
//   if (!session.ok()) return session.status();
//   ...
//   (*session)->Drain();  // Server::OnClosed(number) follows.
//
// Only on the loop's thread.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SESSION_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/connection.h"
#include "external_containerizer/transport/ttrpc/responder.h"
#include "external_containerizer/transport/ttrpc/server.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "external_containerizer/transport/ttrpc/ttrpc.pb.h"

namespace external_containerizer {
namespace ttrpc {
namespace internal {

class Session : public Connection::Delegate {
 public:
  // `fd` belongs to the session from now on, also if the call fails. The server
  // outlives it, and destroys it in Server::OnClosed().
  static absl::StatusOr<std::unique_ptr<Session>> Create(EventLoop& loop,
                                                         int fd, Peer peer,
                                                         uint64_t connection,
                                                         Server& server);
  // Closes the connection and cancels the calls in flight.
  ~Session() override;

  // Refuses new calls, and closes the connection after the last reply.
  void Drain();

  // Called by Responder::Finish(). Drops the reply if the call was answered
  // before.
  void Finish(ServerCall& call, absl::StatusOr<std::string> reply);

  size_t in_flight() const { return calls_.size(); }
  size_t held() const { return connection_->held(); }
  // Whether a complete frame has come.
  bool has_had_frame() const { return has_had_frame_; }
  void CloseLater(absl::Status why) { connection_->CloseLater(std::move(why)); }

 private:
  Session(EventLoop& loop, Peer peer, uint64_t number, Server& server)
      : loop_(loop), peer_(peer), number_(number), server_(server) {}

  void OnFrame(const Frame& frame) override;
  void OnHeld(ptrdiff_t more) override { server_.OnHeld(more); }
  void OnClosed(const absl::Status& reason) override;

  void HandleRequest(const Frame& frame);
  // Ends a call with an error, unless the call was answered before.
  void Reject(uint32_t id, const absl::Status& why);
  void Dispatch(uint32_t id, wire::Request& request);
  void Expire(const std::shared_ptr<ServerCall>& call);
  void Answer(uint32_t id, absl::StatusOr<std::string> reply);
  void CancelAll();

  EventLoop& loop_;
  const Peer peer_;
  const uint64_t number_;
  Server& server_;
  std::shared_ptr<Connection> connection_;
  absl::flat_hash_map<uint32_t, std::shared_ptr<ServerCall>> calls_;
  uint32_t last_id_ = 0;
  bool has_had_frame_ = false;
  bool draining_ = false;
};

}  // namespace internal
}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SESSION_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// One connection of a server: the rules of ttrpc, and the calls in flight. On
// the loop only.

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
  // What a session needs of its server.
  class Host {
   public:
    virtual ~Host() = default;
    // UNIMPLEMENTED, in the words of containerd's server, if there is none.
    virtual absl::StatusOr<Server::Handler*> Find(absl::string_view service,
                                                  absl::string_view method) = 0;
    // The session is closed, and may be destroyed.
    virtual void OnSessionClosed(Session* session) = 0;
    // Once, when a whole frame has come.
    virtual void OnFirstFrame(Session* session) = 0;
    // What all sessions hold is more by so many bytes, or less.
    virtual void OnHeld(ptrdiff_t more) = 0;
    virtual const ServerOptions& options() const = 0;
  };

  static absl::StatusOr<std::unique_ptr<Session>> Create(EventLoop& loop,
                                                         int fd, Peer peer,
                                                         uint64_t connection,
                                                         Host& host);
  // Cancels what is in flight.
  ~Session() override;

  // Refuses new calls, and closes after the last reply.
  void Drain();

  // Of Responder; whether or not the call is answered already.
  void Finish(ServerCall& call, absl::StatusOr<std::string> reply);

  size_t in_flight() const { return calls_.size(); }
  size_t held() const { return held_; }  // As of Connection, when last told.
  void CloseLater(absl::Status why) { connection_->CloseLater(std::move(why)); }
  uint64_t connection() const { return number_; }

 private:
  Session(EventLoop& loop, Peer peer, uint64_t number, Host& host)
      : loop_(loop), peer_(peer), number_(number), host_(host) {}

  void OnFrame(const Frame& frame) override;
  void OnTurn() override;
  void OnClosed(const absl::Status& reason) override;

  void HandleRequest(const Frame& frame);
  void Reject(uint32_t id, const absl::Status& why);
  void RejectData(uint32_t id);
  void Dispatch(uint32_t id, wire::Request& request);
  void Expire(const std::shared_ptr<ServerCall>& call);
  void Answer(uint32_t id, absl::StatusOr<std::string> reply);
  void CancelAll();

  EventLoop& loop_;
  const Peer peer_;
  const uint64_t number_;
  Host& host_;
  std::shared_ptr<Connection> connection_;
  absl::flat_hash_map<uint32_t, std::shared_ptr<ServerCall>> calls_;
  uint32_t last_id_ = 0;
  size_t held_ = 0;
  bool has_had_frame_ = false;
  bool draining_ = false;
  wire::Request request_;  // Kept for their memory.
  wire::Response response_;
};

}  // namespace internal
}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SESSION_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The helper's side of helper.proto: gives the commands that come over its
// connections to a Transport, and its answers back. Bytes in, bytes out.
//
// A launch whose agent is gone is cancelled when another one recovers, destroys
// or asks for a Shutdown; recover and destroy wait until the launch has ended:
// no program sees the destroy of a container before the end of its launch.
//
// Only on the loop's thread.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_SERVER_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/ttrpc/server.h"
#include "external_containerizer/transport/unix_socket/helper.h"

namespace external_containerizer {

struct HelperOptions {
  std::string program;         // Its name, for who connects.
  std::string work_directory;  // Where its own files are.
  // Whether its executable was replaced on disk; may be null.
  std::function<bool()> outdated;

  size_t max_connections = 64;   // As of ttrpc::ServerOptions.
  size_t max_commands = 65'536;  // Of a connection; waits count.
  // Of a connection: what is uploaded, or waits to be fetched.
  size_t max_kept_bytes = 64u << 20;
};

class HelperServer {
 public:
  HelperServer(EventLoop& loop, std::unique_ptr<Transport> transport,
               HelperOptions options);

  // As ~Transport(). Closes all connections.
  ~HelperServer();

  // As ttrpc::Server. Processes of this user and of root may connect.
  absl::Status Listen(int listener) { return server_->Listen(listener); }
  absl::Status Adopt(int fd) { return server_->Adopt(fd); }

  // Stops listening and refuses new commands (they may still be cancelled);
  // cancels wait, usage and containers; calls `done` when all that is under way
  // has ended, whoever asked for it. Once.
  void Drain(absl::AnyInvocable<void() &&> done);

  // Called when a peer asks for a Shutdown. It should Drain().
  void WhenAskedToEnd(absl::AnyInvocable<void()> asked) {
    asked_to_end_ = std::move(asked);
  }
  // Called after each connection that is gone.
  void WhenDisconnected(absl::AnyInvocable<void()> disconnected) {
    disconnected_ = std::move(disconnected);
  }

  size_t connections() const { return server_->connections(); }
  // Commands under way, also of connections that are gone.
  size_t commands() const { return commands_; }
  // How long those may still take, by the time that their agents gave them:
  // the longest, without what Drain() cancels. Zero if none may.
  absl::Duration TimeLeft() const;

 private:
  using ConnectionId = uint64_t;
  using Key = uint64_t;
  using CommandResponder = ttrpc::TypedResponder<helper::v1::CommandReply>;

  struct UnderWay {
    CommandResponder responder;
    InvocationId id;  // 0: it is held back.
    Command command;
  };
  struct HeldBack {
    ConnectionId connection;
    Key key;
    Invocation invocation;
  };
  struct Connection {
    bool greeted = false;
    Environment environment;
    absl::flat_hash_map<Key, UnderWay> commands;
    // By the key of the command.
    absl::flat_hash_map<Key, std::string> uploads;
    absl::flat_hash_map<Key, std::string> outputs;
    size_t kept_bytes = 0;
  };

  void AddHandlers();
  Connection* Greeted(ConnectionId id);
  helper::v1::HelloReply Hello(ConnectionId id,
                               helper::v1::HelloRequest request);
  void Handle(Command command, ConnectionId id,
              helper::v1::CommandRequest request, CommandResponder responder);
  InvocationId Invoke(ConnectionId id, Key key, Invocation invocation);
  void Answered(ConnectionId id, Key key, Answer answer);
  void CancelOrphans();
  void EndOrphan(ConnectionId id, Key key);
  absl::Status Upload(Connection& connection,
                      helper::v1::UploadRequest& request);
  absl::StatusOr<helper::v1::FetchReply> Fetch(
      Connection& connection, const helper::v1::FetchRequest& request);
  bool Cancel(Connection& connection, Key key);
  void Disconnected(ConnectionId id);
  void EndIfDrained();

  EventLoop& loop_;
  const HelperOptions options_;
  // Where a connection that is gone had commands under way, those with a
  // result have been cancelled, and nobody waits for any.
  absl::flat_hash_map<ConnectionId, std::unique_ptr<Connection>> connections_;
  // Launches under way of connections that are gone, and what waits for them.
  absl::flat_hash_map<std::pair<ConnectionId, Key>, InvocationId> orphans_;
  std::vector<HeldBack> held_back_;
  size_t commands_ = 0;
  absl::Duration
      latest_end_;  // Of launch, update and the like; see TimeLeft().
  bool connections_closed_ = false;  // After Drain().
  absl::AnyInvocable<void() &&> drained_;
  absl::AnyInvocable<void()> asked_to_end_;
  absl::AnyInvocable<void()> disconnected_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<ttrpc::Server> server_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_SERVER_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The helper's side of helper.proto: hands the commands from its connections to
// a Transport, and sends the answers back.
//
//   HelperServer server(loop, std::move(transport), HelperOptions());
//   absl::Status status = server.Listen(*ttrpc::ListenUnix("/run/p.sock"));
//   server.WhenAskedToEnd([&] { server.Drain([&] { loop.Stop(); }); });
//
// A launch whose agent has disconnected is cancelled when another agent
// recovers, destroys or asks for a Shutdown. Recover and destroy wait until the
// launch has ended, so that the program never sees the destroy of a container
// before the end of its launch.
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
  // Returns whether the helper's executable was replaced on disk. May be null.
  std::function<bool()> outdated;

  size_t max_connections = 64;   // As in ttrpc::ServerOptions.
  size_t max_commands = 65'536;  // Commands of one connection, with waits.
  // The bytes that are kept for one connection: uploads, and outputs to be
  // fetched.
  size_t max_kept_bytes = 64u << 20;
};

class HelperServer {
 public:
  HelperServer(EventLoop& loop, std::unique_ptr<Transport> transport,
               HelperOptions options);

  // Closes all connections, and destroys the transport.
  ~HelperServer();

  // As in ttrpc::Server. Processes of this user and of root may connect.
  absl::Status Listen(int listener) { return server_->Listen(listener); }
  absl::Status Adopt(int fd) { return server_->Adopt(fd); }

  // Stops listening, refuses new commands, cancels wait, usage and containers,
  // and calls `done` from the loop when all commands have ended, also those of
  // agents that have disconnected. Agents may still cancel commands. Call it
  // once.
  void Drain(absl::AnyInvocable<void() &&> done);

  // `asked` is called when a peer asks for a Shutdown. It should call Drain().
  void WhenAskedToEnd(absl::AnyInvocable<void()> asked) {
    asked_to_end_ = std::move(asked);
  }
  // `disconnected` is called after the end of each connection.
  void WhenDisconnected(absl::AnyInvocable<void()> disconnected) {
    disconnected_ = std::move(disconnected);
  }

  size_t connections() const { return server_->connections(); }
  // The number of commands under way, also of agents that have disconnected.
  size_t commands() const { return commands_; }
  // The longest time that those may still take by their timeouts, without the
  // commands that Drain() cancels. Zero if no command is under way.
  absl::Duration TimeLeft() const;

 private:
  using ConnectionId = uint64_t;
  using Key = uint64_t;
  using CommandResponder = ttrpc::TypedResponder<helper::v1::CommandReply>;

  struct PendingCommand {
    CommandResponder responder;
    InvocationId id;  // 0 while it is held back.
    Command command;
  };
  struct HeldCommand {
    ConnectionId connection;
    Key key;
    Invocation invocation;
  };
  struct Connection {
    Environment environment;
    absl::flat_hash_map<Key, PendingCommand> commands;
    // The keys are those of the commands.
    absl::flat_hash_map<Key, std::string> uploads;
    absl::flat_hash_map<Key, std::string> outputs;
    size_t kept_bytes = 0;
  };

  // Adds a handler for calls that must come after Hello.
  template <typename Request, typename Reply>
  void AddHandler(const ttrpc::Method<Request, Reply>& method,
                  absl::StatusOr<Reply> (HelperServer::*handle)(Connection&,
                                                                Request));
  void AddHandlers();
  Connection* FindConnection(ConnectionId id);
  helper::v1::HelloReply Hello(ConnectionId id,
                               helper::v1::HelloRequest request);
  void Handle(Command command, ConnectionId id,
              helper::v1::CommandRequest request, CommandResponder responder);
  InvocationId Invoke(ConnectionId id, Key key, Invocation invocation);
  void OnAnswer(ConnectionId id, Key key, Answer answer);
  void CancelOrphans();
  void EndOrphan(ConnectionId id, Key key);
  absl::StatusOr<helper::v1::UploadReply> Upload(
      Connection& connection, helper::v1::UploadRequest request);
  absl::StatusOr<helper::v1::FetchReply> Fetch(
      Connection& connection, helper::v1::FetchRequest request);
  absl::StatusOr<helper::v1::CancelReply> Cancel(
      Connection& connection, helper::v1::CancelRequest request);
  void OnDisconnected(ConnectionId id);
  void EndIfDrained();

  EventLoop& loop_;
  const HelperOptions options_;
  // Connections that have sent Hello.
  absl::flat_hash_map<ConnectionId, std::unique_ptr<Connection>> connections_;
  // Launches of agents that have disconnected, and commands that wait for them.
  absl::flat_hash_map<std::pair<ConnectionId, Key>, InvocationId> orphans_;
  std::vector<HeldCommand> held_back_;
  size_t commands_ = 0;
  absl::Duration latest_end_;        // The latest deadline; see TimeLeft().
  bool connections_closed_ = false;  // Set after Drain().
  absl::AnyInvocable<void() &&> drained_;
  absl::AnyInvocable<void()> asked_to_end_;
  absl::AnyInvocable<void()> disconnected_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<ttrpc::Server> server_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_HELPER_SERVER_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The answering side of ttrpc, for any number of connections. Typed handlers
// are in method.h.
//
//   ttrpc::Server server(loop);
//   server.AddHandler("my.v1.Helper", "Ping",
//                     [](const ttrpc::CallContext&, absl::string_view request,
//                        ttrpc::Responder responder) {
//                       responder.Finish(std::string(request));
//                     });
//   auto listener = ttrpc::ListenUnix("/run/my/socket");
//   if (!listener.ok()) return listener.status();
//   absl::Status status = server.Listen(*listener);
//
// Only on the loop's thread, or before the loop runs, unless it says otherwise.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SERVER_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SERVER_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/alive.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/metadata.h"
#include "external_containerizer/transport/ttrpc/responder.h"
#include "external_containerizer/transport/ttrpc/socket.h"

namespace external_containerizer {
namespace ttrpc {

// The circumstances of a call. Valid during the call of the handler.
struct CallContext {
  absl::Duration timeout;  // The caller's timeout, which may be infinite.
  // Keys and values as the peer sent them, unchecked.
  const Metadata& metadata;
  const Peer& peer;
  uint64_t connection;  // The connection's number, which is not used again.
};

struct ServerOptions {
  // The users whose processes may connect; if it is empty, this process's user
  // and root. Connections of other users are closed.
  std::vector<uid_t> allowed_uids;
  bool allow_any_uid = false;

  // A connection beyond the limit replaces the oldest one from which no
  // complete request has come. If every connection has sent one, the new
  // connection is closed at once. The same happens if no descriptor is left.
  size_t max_connections = 1024;
  // A connection is not read while this number of its calls have a living
  // Responder. Calls that wait for long count, too: leave room for others.
  size_t max_in_flight = 1024;
  // A connection is not read while more bytes of replies wait for its peer.
  size_t stop_reading_above = 1 << 20;
  // The bytes that all connections together hold for their peers: replies that
  // wait, and requests that came in part. Above the limit the connection that
  // holds most is closed.
  size_t max_held = 128 << 20;
  // Methods that are served after Shutdown() on connections with calls in
  // flight, such as one that cancels those calls.
  std::vector<std::string> methods_in_shutdown;
  // A connection is closed if for this time, or twice as long at most, its peer
  // takes no byte of a reply, or does not send its first request, or does not
  // send the rest of a request that it has begun. Between requests a connection
  // may be idle.
  absl::Duration stall_timeout = absl::Seconds(30);
};

class Server {
 public:
  // Runs on the loop and must not block. `request` is valid during the call.
  // The handler may keep the responder and use it from any thread.
  using Handler = absl::AnyInvocable<void(
      const CallContext& context, absl::string_view request, Responder)>;

  // The loop must outlive the server and its responders.
  explicit Server(EventLoop& loop, ServerOptions options = {});

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // Closes all connections, which cancels their calls. Not inside a handler.
  ~Server();

  // Before Listen() and Adopt(). Calls of methods without a handler are
  // answered with UNIMPLEMENTED.
  void AddHandler(absl::string_view service, absl::string_view method,
                  Handler handler);

  // Before Listen() and Adopt(). `closed` is called on the loop after each
  // connection that was lost or closed, and after its calls were cancelled. The
  // destructor does not call it.
  void WhenDisconnected(absl::AnyInvocable<void(uint64_t connection)> closed);

  // Accepts connections on `listener`, from ListenUnix() or systemd, and closes
  // the listener before; connections stay. `listener` belongs to this class
  // from now on, also if the call fails. Without descriptors or memory the
  // server closes connections from which no complete request has come, or else
  // lets peers wait and accepts them as soon as it can.
  absl::Status Listen(int listener);

  // Serves `fd`, a connected stream socket, as if it had been accepted. It
  // belongs to this class from now on, also if the call fails.
  absl::Status Adopt(int fd);

  // Stops accepting, answers new calls with UNAVAILABLE (but see
  // `methods_in_shutdown`), closes each connection after the last reply to a
  // call in flight, and then calls `done` from the loop. It has no time limit:
  // destroy the server to end it sooner, without a call of `done`.
  void Shutdown(absl::AnyInvocable<void() &&> done);

  size_t connections() const { return sessions_.size(); }
  size_t in_flight() const;

 private:
  friend class internal::Session;

  // Returns UNIMPLEMENTED, in containerd's words, if no handler was added.
  absl::StatusOr<Handler*> Find(absl::string_view service,
                                absl::string_view method);
  // Destroys the session of a connection that is closed.
  void OnClosed(uint64_t connection);
  // The memory that all sessions hold has grown by `more` bytes, or shrunk.
  void OnHeld(ptrdiff_t more);
  void CloseLargest();
  bool CloseOldestSilent();
  void Accept();
  void CloseListener();
  void EndShutdownLater();

  EventLoop& loop_;
  const ServerOptions options_;
  absl::flat_hash_map<std::string, absl::flat_hash_map<std::string, Handler>>
      services_;
  // The keys are the numbers of the connections: the oldest comes first.
  std::map<uint64_t, std::unique_ptr<internal::Session>> sessions_;
  uint64_t next_connection_ = 1;
  size_t held_ = 0;  // The sum over all sessions.
  int listener_ = -1;
  EventLoop::TimerId accept_timer_ = 0;
  bool shutting_down_ = false;
  absl::AnyInvocable<void() &&> done_;
  absl::AnyInvocable<void(uint64_t)> disconnected_;
  const Alive alive_;
};

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SERVER_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The answering side of ttrpc, for any number of connections. Typed handlers
// are in method.h.
//
// Only on the loop's thread, or before the loop runs, unless it says otherwise.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SERVER_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SERVER_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/metadata.h"
#include "external_containerizer/transport/ttrpc/responder.h"
#include "external_containerizer/transport/ttrpc/socket.h"

namespace external_containerizer {
namespace ttrpc {

// What a handler learns beside the request. Valid during the handler.
struct CallContext {
  absl::Duration timeout;  // What the caller gave it; may be infinite.
  // As it came: keys and values are whatever the peer sent.
  const Metadata& metadata;
  const Peer& peer;
  uint64_t connection;  // It came on; a number that is not used again.
};

struct ServerOptions {
  // Whose processes may connect; empty: this process's user and root. Others
  // are disconnected.
  std::vector<uid_t> allowed_uids;
  bool allow_any_uid = false;

  // One more takes the place of the oldest from which no whole request has
  // come; if there is none, it is disconnected at once. So it is, too, if there
  // is no descriptor for one more.
  size_t max_connections = 1024;
  // Calls of a connection whose Responder lives; while there are so many it is
  // not read. Calls that wait for long count, too: leave room beyond them.
  size_t max_in_flight = 1024;
  // Bytes of replies that wait for a connection's peer. Above the first the
  // connection is not read, above the second it is closed.
  size_t stop_reading_above = 1 << 20;
  size_t max_queued = 64 << 20;
  // Bytes of replies that wait and of requests that came in part, of all
  // connections together. Above it the connection that holds most is closed.
  size_t max_held = 128 << 20;
  // Methods that are served even after a Shutdown(), on connections with calls
  // in flight: what makes those end sooner.
  std::vector<std::string> methods_in_shutdown;
  // Closed if its peer takes no byte of a waiting reply for so long.
  absl::Duration stall_timeout = absl::Seconds(30);
  // Closed if the first request, or one that has begun, is not whole after so
  // long, or twice that at most. Between requests a connection may be idle.
  absl::Duration request_timeout = absl::Seconds(30);
};

class Server {
 public:
  // Runs on the loop and must not block. `request` is valid during the call;
  // the responder may be kept, and used from any thread.
  using Handler = absl::AnyInvocable<void(
      const CallContext& context, absl::string_view request, Responder)>;

  // The loop must outlive the server and its responders.
  explicit Server(EventLoop& loop, ServerOptions options = {});

  // Closes all connections, which cancels their calls. Not inside a handler.
  ~Server();

  // Before Listen() and Adopt(). A call of a method that has none is answered
  // with UNIMPLEMENTED.
  void AddHandler(absl::string_view service, absl::string_view method,
                  Handler handler);

  // Before Listen() and Adopt(). Called on the loop after each connection that
  // is lost or closed, but not by the destructor: what was in flight on it has
  // been cancelled.
  void WhenDisconnected(absl::AnyInvocable<void(uint64_t connection)> closed);

  // Accepts on `listener` (ListenUnix() makes one; so does systemd), in place
  // of the one before; connections stay. Owns it from this call on, also if it
  // fails. Out of descriptors or memory it leaves who connects waiting, and
  // accepts on as soon as it can; a connection from which no whole request has
  // come is closed for the next.
  absl::Status Listen(int listener);

  // Serves one more connected stream socket, as if it had been accepted. Owns
  // `fd` from this call on, also if it fails.
  absl::Status Adopt(int fd);

  // Stops accepting, answers new calls with UNAVAILABLE (but see
  // `methods_in_shutdown`), lets those that are in flight end, closes each
  // connection after its last reply and then calls `done`, from the loop. There
  // is no time limit: destroy the server to end it sooner, and without `done`.
  void Shutdown(absl::AnyInvocable<void() &&> done);

  size_t connections() const;
  size_t in_flight() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_SERVER_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Finds the helper, or starts it, and agrees with it on a version of the
// protocol.
//
//   Connector connector(loop, options, socket, {}, std::move(process));
//   connector.Connect([](absl::StatusOr<HelperConnection> connection) {
//     if (connection.ok()) Use(std::move(connection->client));
//   });

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_CONNECTOR_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_CONNECTOR_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/alive.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/unix_socket/helper.h"
#include "external_containerizer/transport/unix_socket/helper_process.h"
#include "external_containerizer/transport/unix_socket/options.h"

namespace external_containerizer {

// A connection to a helper that has answered Hello.
struct HelperConnection {
  std::unique_ptr<ttrpc::Client> client;
  helper::v1::HelloReply hello;
  pid_t pid = 0;
  std::string name;  // The program and the pid, for messages.
  // Null if an operator runs the helper. It belongs to the Connector.
  const HelperProcess* process = nullptr;

  // Whether the helper has an optional call (helper::kCancelCapability, …).
  bool Can(absl::string_view capability) const;
};

// On the loop's thread only.
class Connector {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<HelperConnection>) &&>;

  // Starts helpers with `process`, or none if it is null. The helper adds
  // `environment` to that of every command. `first_stream_id` is that of
  // ttrpc::ClientOptions.
  Connector(EventLoop& loop, const UnixSocketOptions& options,
            std::string socket, Environment environment,
            std::unique_ptr<HelperProcess> process,
            uint32_t first_stream_id = 1);
  // Destroys `done` uncalled. Kills a helper that was started here and does not
  // listen yet.
  ~Connector();

  // Connects, within `start_timeout` of the options. `done` is called once,
  // from the loop, never inside this call. Not while another call is under way.
  // unix_socket.h lists the errors.
  void Connect(Done done);

  // Returns the reason why Connect() has not ended yet, or "" if it has ended
  // or the reason is not known.
  std::string Obstacle() const;

  const std::string& socket() const { return socket_; }

 private:
  // Connects to the socket, or starts a helper if no process listens there.
  void Try();
  void TryAfter(absl::Duration delay);
  absl::StatusOr<std::unique_ptr<ttrpc::Client>> Reach();
  void Start();
  void OnEnded(absl::Status why);
  void SayHello();
  void OnHello(ttrpc::CallResult<helper::v1::HelloReply> result);
  // Whether the helper can be used, and whether it should end for a newer one.
  absl::Status Judge(const helper::v1::HelloReply& hello, bool* replace) const;
  void Replace();
  void OnTimeout();
  void Finish(absl::StatusOr<HelperConnection> result);
  std::string Name() const;

  EventLoop& loop_;
  const UnixSocketOptions options_;
  const std::string socket_;
  const Environment environment_;
  const std::unique_ptr<HelperProcess> process_;
  const uint32_t first_stream_id_;

  bool process_served_ = false;  // The helper in process_ has answered Hello.

  Done done_;
  std::optional<Alive> attempt_;  // Set while Connect() is under way.
  EventLoop::TimerId deadline_ = 0;
  EventLoop::TimerId retry_ = 0;
  absl::Duration pause_;
  bool replaced_ = false;  // A helper was told to end in this attempt.
  absl::Status last_;      // Why no helper is connected.
  absl::Status greeting_;  // Why a helper did not answer Hello.
  absl::Status ended_;     // Why a helper that was started did not serve.
  std::unique_ptr<ttrpc::Client> client_;
  pid_t peer_ = 0;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_CONNECTOR_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Finds the helper, or starts it, and agrees with it on how to speak.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_CONNECTOR_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_CONNECTOR_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/unix_socket/helper.h"
#include "external_containerizer/transport/unix_socket/helper_process.h"
#include "external_containerizer/transport/unix_socket/options.h"

namespace external_containerizer {

// A helper that has said Hello.
struct HelperConnection {
  std::unique_ptr<ttrpc::Client> client;
  helper::v1::HelloReply hello;
  pid_t pid = 0;
  std::string name;  // For messages: the helper of which program, and its pid.
  // Calls `tell` from the loop, in a moment, with why the connection was lost,
  // for messages. Only while the Connector is there.
  std::function<void(absl::AnyInvocable<void(const std::string&) &&> tell)>
      tell_why_lost;

  bool Can(absl::string_view capability) const;
};

// On the loop's thread only.
class Connector {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<HelperConnection>) &&>;

  // Starts helpers with `process`, which may be null: then there must be one.
  // `environment` goes with every command. `first_stream_id` as in
  // ttrpc::ClientOptions.
  Connector(EventLoop& loop, const UnixSocketOptions& options,
            std::string socket, Environment environment,
            std::unique_ptr<HelperProcess> process,
            uint32_t first_stream_id = 1);
  // Forgets `done`, uncalled. Ends a helper of ours that does not listen.
  ~Connector();

  // Tries once, for no longer than it may take. `done` is called from the loop,
  // never inside this call; one at a time.
  void Connect(Done done);

  // Why Connect() has not ended yet; empty if it has, or nothing is known.
  std::string Obstacle() const;

  const std::string& socket() const { return socket_; }

 private:
  void Try();
  void TryAfter(absl::Duration delay);
  absl::StatusOr<std::unique_ptr<ttrpc::Client>> Reach();
  void Start();
  void Ended(absl::Status why);
  void SayHello();
  void Greeted(ttrpc::CallResult<helper::v1::HelloReply> result);
  absl::Status Judge(const helper::v1::HelloReply& hello, bool* replace) const;
  void Replace();
  void Expired();
  void Finish(absl::StatusOr<HelperConnection> result);
  std::string Name() const;

  // Only while Connect() is under way, and this is.
  template <typename F>
  auto Guarded(F f) {
    return [f = std::move(f), attempt = attempt_,
            alive = std::weak_ptr<int>(current_attempt_)](auto... arguments) {
      const std::shared_ptr<int> current = alive.lock();
      if (current != nullptr && *current == attempt) {
        f(std::move(arguments)...);
      }
    };
  }

  EventLoop& loop_;
  const UnixSocketOptions options_;
  const std::string socket_;
  const Environment environment_;
  const std::unique_ptr<HelperProcess> process_;
  const uint32_t first_stream_id_;

  bool process_served_ = false;  // The one in process_.

  Done done_;  // Not null while Connect() is under way.
  const std::shared_ptr<int> current_attempt_ = std::make_shared<int>(0);
  int attempt_ = 0;
  EventLoop::TimerId deadline_ = 0;
  EventLoop::TimerId retry_ = 0;
  absl::Duration pause_;
  bool replaced_ = false;  // A helper, in this attempt.
  absl::Status last_;      // Why it was not reached.
  absl::Status greeting_;  // How one that was reached broke off before Hello.
  absl::Status ended_;     // Why one that was started did not serve.
  std::unique_ptr<ttrpc::Client> client_;
  pid_t peer_ = 0;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_CONNECTOR_H_

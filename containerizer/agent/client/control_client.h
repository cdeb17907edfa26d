// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A connection to the standing agent of a work_dir, for a process that only
// waits for its answers. To be used by one thread.
//
//   absl::StatusOr<std::unique_ptr<ControlClient>> client =
//       ControlClient::Connect("/var/lib/agent");
//   if (!client.ok()) return client.status();
//   const absl::StatusOr<control::v1::ListReply> list =
//       (*client)->Call(control::kList, control::v1::ListRequest());

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_CONTROL_CLIENT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_CONTROL_CLIENT_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/ttrpc/method.h"

namespace external_containerizer {

class ControlClient {
 public:
  // UNAVAILABLE if no agent serves `work_dir`; the message says how to start
  // one. PERMISSION_DENIED if the agent belongs to another user.
  static absl::StatusOr<std::unique_ptr<ControlClient>> Connect(
      const std::string& work_dir);

  // Waits for the answer, for ever. UNAVAILABLE if the agent goes away: it may
  // or may not have done what was asked.
  template <typename Request, typename Reply>
  absl::StatusOr<Reply> Call(const ttrpc::Method<Request, Reply>& method,
                             const Request& request) {
    std::optional<absl::StatusOr<Reply>> reply;
    ttrpc::Call(
        *client_, method, request, {},
        [this, &reply](ttrpc::CallResult<Reply> result) {
          reply = std::move(result.reply);
          if (!reply->ok() && result.outcome == ttrpc::Outcome::kUnknown) {
            reply = AwayError(reply->status());
          }
          loop_->Stop();
        });
    loop_->Run();
    return *std::move(reply);
  }

 private:
  ControlClient(std::string work_dir, std::unique_ptr<EventLoop> loop,
                std::unique_ptr<ttrpc::Client> client)
      : work_dir_(std::move(work_dir)),
        loop_(std::move(loop)),
        client_(std::move(client)) {}

  absl::Status AwayError(const absl::Status& status) const;

  const std::string work_dir_;
  const std::unique_ptr<EventLoop> loop_;
  const std::unique_ptr<ttrpc::Client> client_;
};

// The pause between two attempts to reach an agent that is away.
inline constexpr absl::Duration kAwayPause = absl::Milliseconds(50);

// Connects to the agent, and waits up to `patience` if there is none.
absl::StatusOr<std::unique_ptr<ControlClient>> ConnectPatiently(
    const std::string& work_dir, absl::Duration patience);

// Sends a request until it is answered, so the agent must be able to take it
// twice. An agent that is not there, or goes away, is waited for: up to
// `patience` each time. `away` is called once, with the reason, the first time
// that there is no agent.
template <typename Request, typename Reply>
absl::StatusOr<Reply> CallPatiently(
    const std::string& work_dir, const ttrpc::Method<Request, Reply>& method,
    const Request& request, absl::Duration patience,
    absl::AnyInvocable<void(const absl::Status&)> away) {
  for (bool told = false;;) {
    absl::StatusOr<std::unique_ptr<ControlClient>> client =
        ControlClient::Connect(work_dir);
    if (absl::IsUnavailable(client.status())) {
      if (!std::exchange(told, true)) away(client.status());
      client = ConnectPatiently(work_dir, patience);
    }
    if (!client.ok()) return client.status();
    absl::StatusOr<Reply> reply = (*client)->Call(method, request);
    if (!absl::IsUnavailable(reply.status())) return reply;
    if (!std::exchange(told, true)) {
      away(absl::UnavailableError("the agent went away"));
    }
    // An agent that ends may still accept connections for a while.
    absl::SleepFor(kAwayPause);
  }
}

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_CONTROL_CLIENT_H_

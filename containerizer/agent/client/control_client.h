// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A connection to the standing agent of a work_dir, for a process that has
// nothing else to do but to wait for its answers. One thread.

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
  // UNAVAILABLE, saying how to start one, if no agent serves `work_dir`;
  // PERMISSION_DENIED if the one that does is another user's.
  static absl::StatusOr<std::unique_ptr<ControlClient>> Connect(
      const std::string& work_dir);

  // Waits for the answer, for ever. UNAVAILABLE if the agent goes away: then
  // it is not known whether it has done it.
  template <typename Request, typename Reply>
  absl::StatusOr<Reply> Call(const ttrpc::Method<Request, Reply>& method,
                             const Request& request) {
    std::optional<absl::StatusOr<Reply>> reply;
    ttrpc::Call(
        *client_, method, request, {},
        [this, &reply](ttrpc::CallResult<Reply> result) {
          reply = std::move(result.reply);
          if (!reply->ok() && result.outcome == ttrpc::Outcome::kUnknown) {
            reply = WentAway(reply->status());
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

  absl::Status WentAway(const absl::Status& status) const;

  const std::string work_dir_;
  const std::unique_ptr<EventLoop> loop_;
  const std::unique_ptr<ttrpc::Client> client_;
};

// Between looks at an agent that is away.
inline constexpr absl::Duration kAwayPause = absl::Milliseconds(50);

// Waits for an agent.
absl::StatusOr<std::unique_ptr<ControlClient>> ConnectPatiently(
    const std::string& work_dir, absl::Duration patience);

// Calls until it is answered: when there is no agent, or it goes away, it is
// looked for again and again, for `patience` since it was last there, and told
// the same. For what may be asked twice. `away` is called the first time that
// it is not there, with why.
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
    // One that ends may be there for a while.
    absl::SleepFor(kAwayPause);
  }
}

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_CONTROL_CLIENT_H_

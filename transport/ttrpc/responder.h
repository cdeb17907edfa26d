// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A server's duty to answer one call.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_RESPONDER_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_RESPONDER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/transport/event_loop.h"

namespace external_containerizer {
namespace ttrpc {

namespace internal {

class Session;

// Of one call; on the loop only, except for what is atomic.
struct ServerCall {
  EventLoop* loop;
  Session* session;  // Null once the connection is closed.
  uint32_t id;
  EventLoop::TimerId timer = 0;
  bool answered = false;  // Nothing that follows reaches the caller.
  std::atomic<bool> cancelled{false};
  absl::AnyInvocable<void(absl::Status) &&> on_cancelled;
};

}  // namespace internal

// Movable. Destroyed without an answer, it answers INTERNAL.
class Responder {
 public:
  explicit Responder(std::shared_ptr<internal::ServerCall> call)
      : call_(std::move(call)) {}
  Responder(Responder&&) = default;
  Responder& operator=(Responder&& other);
  ~Responder();

  // Any thread. The first counts; it ends the call, whether or not its caller
  // is still there. A reply that exceeds 4 MiB becomes RESOURCE_EXHAUSTED.
  void Finish(absl::StatusOr<std::string> reply);

  // Any thread, before Finish(). Whether nobody waits for the answer any more:
  // the connection was closed or the caller's time has passed.
  bool cancelled() const;

  // Only on the loop, before Finish(). Calls `cancelled` from the loop, at most
  // once and not after Finish(), when the above comes true: with CANCELLED or
  // DEADLINE_EXCEEDED. The call stays in flight until the responder is used or
  // destroyed.
  void WhenCancelled(absl::AnyInvocable<void(absl::Status) &&> cancelled);

 private:
  std::shared_ptr<internal::ServerCall> call_;  // Null once finished.
};

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_RESPONDER_H_

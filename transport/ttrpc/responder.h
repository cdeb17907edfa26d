// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A server's duty to answer one call.
//
//   server.AddHandler("my.v1.Helper", "Ping",
//                     [&pool](const CallContext&, absl::string_view request,
//                             Responder responder) {
//                       pool.Run([responder = std::move(responder)]() mutable {
//                         responder.Finish("pong");
//                       });
//                     });

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

// The state of one call. Only on the loop's thread, but for `cancelled`.
struct ServerCall {
  EventLoop* loop;
  Session* session;  // Null when the connection is closed.
  uint32_t id;
  EventLoop::TimerId timer = 0;
  bool answered = false;  // Later answers are dropped.
  std::atomic<bool> cancelled{false};
  absl::AnyInvocable<void(absl::Status) &&> on_cancelled;
};

}  // namespace internal

// May be moved. If it is destroyed without an answer, it answers INTERNAL.
class Responder {
 public:
  explicit Responder(std::shared_ptr<internal::ServerCall> call)
      : call_(std::move(call)) {}
  Responder(Responder&&) = default;
  Responder& operator=(Responder&& other);
  ~Responder();

  // Any thread. Answers the call and ends it, also if the caller is gone. The
  // second call has no effect. A reply of more than 4 MiB becomes
  // RESOURCE_EXHAUSTED.
  void Finish(absl::StatusOr<std::string> reply);

  // Any thread, before Finish(). Whether the connection was closed or the
  // caller's time has passed, so that nobody waits for the answer.
  bool cancelled() const;

  // Only on the loop, before Finish(). Calls `cancelled` from the loop when
  // cancelled() becomes true, with CANCELLED or DEADLINE_EXCEEDED: at most
  // once, and not after Finish(). The call stays in flight until the responder
  // is used or destroyed.
  void WhenCancelled(absl::AnyInvocable<void(absl::Status) &&> cancelled);

 private:
  std::shared_ptr<internal::ServerCall> call_;  // Null after Finish().
};

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_RESPONDER_H_

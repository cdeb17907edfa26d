// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The transport itself: which commands wait for a helper, are under way at it,
// and end. The factory is in unix_socket.h.
//
//   Invoke ─▶ waiting_ ─ a connection ─▶ Send ─ its reply, or none ─▶ Finish
//                 ▲                       │
//                 └── the helper shuts down, and has not begun it: once
//
// A connection that is not to be used for more stays until what is under way on
// it has ended.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_COMMANDS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_COMMANDS_H_

#include <cstddef>
#include <cstdint>
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
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/unix_socket/connector.h"
#include "external_containerizer/transport/unix_socket/helper.h"
#include "external_containerizer/transport/unix_socket/helper_link.h"
#include "external_containerizer/transport/unix_socket/leftovers.h"
#include "external_containerizer/transport/unix_socket/options.h"

namespace external_containerizer {
namespace unix_socket_internal {

class UnixSocket : public Transport {
 public:
  using Done = absl::AnyInvocable<void(Answer) &&>;

  UnixSocket(EventLoop& loop, UnixSocketOptions options,
             std::unique_ptr<ForkExecLeftovers> leftovers,
             std::unique_ptr<Connector> connector);
  ~UnixSocket() override;

  InvocationId Invoke(Invocation invocation, Done done) override;
  void Cancel(InvocationId id) override;
  size_t MaxWaits() const override;

 private:
  enum class State : uint8_t {
    kWaiting,    // For a connection.
    kUploading,  // Its parts; the helper has not begun it.
    kSent,       // Its answer is to come, or the rest of it.
    kCancelled,  // Sent, and the helper was told to cancel: by the caller,
    kTimedOut,   // or because its time is over.
    kLost,       // The connection is; why is about to be known.
    kRefused,    // Its end, not started, is about to be told.
  };
  // What is kept of each command: there may be very many. Its key at the helper
  // is its id.
  struct Call {
    Done done;
    EventLoop::TimerId timer = 0;  // Its time, or then its patience.
    // If it was sent.
    std::shared_ptr<HelperLink> link;
    ttrpc::Client::CallId call = 0;  // 0: it was answered, perhaps in part.
    bool was_sent_again = false;
    Command command = Command::kRecover;
    State state = State::kWaiting;

    bool given_up() const {
      return state == State::kCancelled || state == State::kTimedOut;
    }
  };
  // The parts of a command, or of an answer, that is larger than a frame.
  struct Parts;

  // `as` is kCancelled or kTimedOut.
  void GiveUp(InvocationId id, State as);
  // At the helper, which also forgets what it keeps of the command.
  void CancelThere(InvocationId id, const Call& call);
  void PatienceOver(InvocationId id);

  void Reach();
  void Reached(absl::StatusOr<HelperConnection> connection);

  void Start(InvocationId id, helper::v1::CommandRequest request);
  void Send(InvocationId id, helper::v1::CommandRequest request);
  void SendCommand(InvocationId id, const helper::v1::CommandRequest& request);
  void UploadNext(std::unique_ptr<Parts> parts);
  void Replied(InvocationId id,
               ttrpc::CallResult<helper::v1::CommandReply> result);
  void FetchNext(std::unique_ptr<Parts> parts);
  void Answered(InvocationId id, helper::v1::CommandReply reply);

  void NotReplied(InvocationId id, const absl::Status& why,
                  ttrpc::Outcome outcome);
  void EndUnreplied(InvocationId id, absl::StatusCode code,
                    absl::string_view why, Outcome outcome);
  // Ends it as not started, in words that begin with what it was.
  void Refuse(InvocationId id, absl::StatusCode code, absl::string_view why);
  void RefuseLater(InvocationId id, absl::Status why);
  void Finish(InvocationId id, Answer answer);
  std::string Who(const Call& call) const;

  // Only while we are there.
  template <typename F>
  auto Guarded(F f) {
    return [f = std::move(f),
            alive = std::weak_ptr<bool>(alive_)](auto... arguments) mutable {
      if (!alive.expired()) f(std::move(arguments)...);
    };
  }

  EventLoop& loop_;
  const UnixSocketOptions options_;
  const std::unique_ptr<ForkExecLeftovers> leftovers_;
  const std::unique_ptr<Connector> connector_;
  std::shared_ptr<HelperLink> link_;  // Null before there was one.
  std::string failure_;               // Why there is none, or was none before.

  InvocationId next_id_ = 1;
  absl::flat_hash_map<InvocationId, Call> calls_;
  // Of those that are sent again if the helper shuts down: all but waits.
  absl::flat_hash_map<InvocationId, helper::v1::CommandRequest> to_send_again_;
  // In the order in which they came: for them there is no connection yet. Some
  // may be over.
  std::vector<std::pair<InvocationId, helper::v1::CommandRequest>> waiting_;
  bool reaching_ = false;
  EventLoop::TimerId reach_timer_ = 0;
  absl::Duration backoff_;  // Zero after an answer.

  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace unix_socket_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_COMMANDS_H_

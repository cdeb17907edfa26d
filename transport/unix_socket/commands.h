// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The transport itself: commands that wait for a helper, run there, and end.
// The factory is in unix_socket.h:
//
//   auto transport = UnixSocketTransport(options)(loop);
//
//   Invoke ─▶ kWaiting ─ a connection ─▶ Send ─ its reply, or none ─▶ Finish
//                 ▲                       │
//                 └── the helper shuts down, and has not begun it: once
//
// A connection that takes no new commands stays open until the commands on it
// have ended.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_COMMANDS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_COMMANDS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/alive.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/leftovers.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/unix_socket/connector.h"
#include "external_containerizer/transport/unix_socket/helper.h"
#include "external_containerizer/transport/unix_socket/helper_link.h"
#include "external_containerizer/transport/unix_socket/options.h"

namespace external_containerizer {
namespace unix_socket_internal {

// Only on the loop's thread.
class UnixSocket : public Transport {
 public:
  using Done = absl::AnyInvocable<void(Answer) &&>;

  UnixSocket(EventLoop& loop, UnixSocketOptions options,
             std::unique_ptr<Leftovers> leftovers,
             std::unique_ptr<Connector> connector);
  ~UnixSocket() override;

  InvocationId Invoke(Invocation invocation, Done done) override;
  void Cancel(InvocationId id) override;
  size_t MaxWaits() const override;

 private:
  enum class State : uint8_t {
    kWaiting,     // It waits for a connection.
    kUploading,   // Its parts are being sent; the helper has not begun it.
    kSent,        // The helper has it, and has not answered all of it.
    kCancelled,   // As kSent, and the caller has cancelled it.
    kTimedOut,    // As kSent, and its time is over.
    kLostUnsent,  // The connection was lost before that. OnLost() follows.
    kLostSent,    // The connection was lost after kSent. OnLost() follows.
    kRefused,     // It was not started. Its answer follows from the loop.
  };
  // The state of one command, kept small: agents have tens of thousands of
  // waits. The command's key at the helper is its id.
  struct Call {
    Done done;
    EventLoop::TimerId timer = 0;  // The command's time, then the patience.
    // The connection that it was sent on, or null.
    std::shared_ptr<HelperLink> link;
    ttrpc::Client::CallId call = 0;  // 0 when the helper has answered.
    bool was_sent_again = false;
    Command command = Command::kRecover;
    State state = State::kWaiting;

    bool given_up() const {
      return state == State::kCancelled || state == State::kTimedOut;
    }
  };
  // The parts of a command or an answer that is larger than a frame.
  struct Parts;

  // Begins to end a command. `as` is kCancelled or kTimedOut.
  void GiveUp(InvocationId id, State as);
  // Tells the helper to cancel a command, and to drop parts that it keeps for
  // it.
  void CancelThere(InvocationId id, const Call& call);
  void PatienceOver(InvocationId id);

  // Connects to a helper, after the back-off. OnConnected() follows.
  void Reach();
  void OnConnected(absl::StatusOr<HelperConnection> connection);

  // Sends a command, or lets it wait for a connection.
  void Start(InvocationId id);
  void Send(InvocationId id);
  void SendCommand(InvocationId id, const helper::v1::CommandRequest& request);
  void UploadNext(std::unique_ptr<Parts> parts);
  void OnReply(InvocationId id,
               ttrpc::CallResult<helper::v1::CommandReply> result);
  void FetchNext(std::unique_ptr<Parts> parts);
  void OnAnswer(InvocationId id, helper::v1::CommandReply reply);

  // A call of the helper has failed.
  void OnNoReply(InvocationId id, const absl::Status& why,
                 ttrpc::Outcome outcome);
  // Ends the commands that were lost with a connection.
  void OnLost(const HelperLink* link, const std::string& why);
  // Ends a command without an answer of the program.
  void EndUnreplied(InvocationId id, absl::StatusCode code,
                    absl::string_view why, Outcome outcome);
  void RefuseLater(InvocationId id, absl::Status why);
  void Finish(InvocationId id, Answer answer);
  std::string Who(const Call& call) const;

  EventLoop& loop_;
  const UnixSocketOptions options_;
  const std::unique_ptr<Leftovers> leftovers_;
  const std::unique_ptr<Connector> connector_;
  std::shared_ptr<HelperLink> link_;  // The last one; null at first.
  std::string failure_;               // Why the last one, or attempt, failed.

  InvocationId next_id_ = 1;
  absl::flat_hash_map<InvocationId, Call> calls_;
  // The requests of commands that wait for a connection, in the order in which
  // they came, and of commands that are sent again if the helper shuts down:
  // all but waits.
  std::map<InvocationId, helper::v1::CommandRequest> requests_;
  bool reaching_ = false;
  EventLoop::TimerId reach_timer_ = 0;
  absl::Duration backoff_;  // The pause before the next attempt.

  const Alive alive_;
};

}  // namespace unix_socket_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_COMMANDS_H_

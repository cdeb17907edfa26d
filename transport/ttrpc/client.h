// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The calling side of one ttrpc connection. Typed calls are in method.h.
//
//   auto client = ttrpc::Client::Connect(loop, "/run/my/socket");
//   if (!client.ok()) return client.status();
//   (*client)->Call("my.v1.Helper", "Ping", request, {absl::Seconds(5)},
//                   [](ttrpc::CallResult<std::string> result) { ... });
//
// Only on the loop's thread, or before the loop runs: other threads Post().

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_CLIENT_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_CLIENT_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/alive.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/connection.h"
#include "external_containerizer/transport/ttrpc/metadata.h"

namespace external_containerizer {
namespace ttrpc {

// Whether a server can have acted on a call that ended.
enum class Outcome {
  kAnswered,  // The server sent a reply or an error.
  kNotSent,   // No server can have acted on it: it is safe to call again.
  kUnknown,   // It was sent, and the server may or may not have acted on it.
};

template <typename T>
struct CallResult {  // `reply` is an error unless the server sent a reply.
  absl::StatusOr<T> reply;
  Outcome outcome;
};

struct CallOptions {
  // The time for queueing, sending and answering together. It is sent to the
  // server, which does not learn how much of it the call spent in the queue.
  absl::Duration timeout = absl::InfiniteDuration();
  Metadata metadata;
};

struct ClientOptions {
  size_t max_outstanding = 65'536;  // The number of calls.
  size_t max_queued = 16 << 20;     // The bytes of calls that are not written.
  uint32_t first_stream_id = 1;     // An odd number.
};

class Client : private Connection::Delegate {
 public:
  using CallId = uint32_t;  // Never 0 for a call that was made.
  using Done = absl::AnyInvocable<void(CallResult<std::string>) &&>;

  // Makes a client on `fd`, a connected stream socket, which belongs to this
  // class from now on, also if the call fails. The loop must outlive the
  // client.
  static absl::StatusOr<std::unique_ptr<Client>> Create(
      EventLoop& loop, int fd, ClientOptions options = {});

  // Connects to the server at `path`; fails as ConnectUnix(), and as
  // CheckPeer() if the server's user is not one of `allowed_uids`.
  static absl::StatusOr<std::unique_ptr<Client>> Connect(
      EventLoop& loop, const std::string& path, ClientOptions options = {},
      const std::vector<uid_t>& allowed_uids = {});

  // Ends outstanding calls with CANCELLED. May be called in any callback.
  ~Client() override;

  // Sends a call. `done` is called once, from the loop, never inside this call:
  //   what the server says           kAnswered
  //   DEADLINE_EXCEEDED              kNotSent or kUnknown; the connection is
  //                                  closed if the call was half written
  //   UNAVAILABLE                    the connection is closed, or was; or its
  //                                  2^31 ids are used up: connect anew
  //   DATA_LOSS                      as UNAVAILABLE: the server sent garbage
  //   INTERNAL                       kUnknown: the answer cannot be read
  //   RESOURCE_EXHAUSTED             kNotSent: too much is outstanding or
  //                                  queued, or 4 MiB or kMaxMetadata were
  //                                  exceeded; kUnknown if it is the reply
  //                                  that exceeds the former
  //   INVALID_ARGUMENT               kNotSent: text that is not UTF-8
  CallId Call(absl::string_view service, absl::string_view method,
              std::string request, CallOptions options, Done done);

  // Ends a call with CANCELLED, from the loop, unless it has ended. The server
  // does not learn of it: it works on, and its reply is dropped.
  void Cancel(CallId id);

  // Calls `closed` once, from the loop, when the connection is lost or if it
  // was lost before, and after all its calls have ended. Not after the client
  // was destroyed.
  void WhenClosed(absl::AnyInvocable<void(absl::Status) &&> closed);

  // OK while calls can be made, then the reason why the connection is closed.
  const absl::Status& status() const { return status_; }
  size_t outstanding() const { return calls_.size(); }
  // Whether the ids will soon be used up: new calls should go to a new
  // connection. A million ids are left for the calls that belong to earlier
  // ones.
  bool exhausted() const { return next_id_ > kLastId - 2 * kSpareIds; }

 private:
  static constexpr uint64_t kLastId = std::numeric_limits<uint32_t>::max();
  static constexpr uint64_t kSpareIds = 1'000'000;

  struct OutstandingCall {
    Done done;
    EventLoop::TimerId timer;
    uint64_t begin, end;  // The positions of its frame in the connection.
  };

  Client(EventLoop& loop, ClientOptions options)
      : loop_(loop), options_(options), next_id_(options.first_stream_id | 1) {}

  void OnFrame(const Frame& frame) override;
  void OnClosed(const absl::Status& reason) override;

  // How much of the call's frame the kernel has taken.
  enum class Progress { kQueued, kPartlyWritten, kWritten };
  Progress ProgressOf(const OutstandingCall& call) const;

  absl::Status Admit(const CallOptions& options) const;
  OutstandingCall Take(uint32_t id);
  void Expire(uint32_t id);
  void EndLater(Done done, absl::Status status, Outcome outcome);
  void TellClosedLater();

  EventLoop& loop_;
  const ClientOptions options_;
  std::shared_ptr<Connection> connection_;
  absl::Status status_;
  uint64_t next_id_;
  std::map<uint32_t, OutstandingCall> calls_;
  absl::AnyInvocable<void(absl::Status) &&> closed_;
  const Alive alive_;
};

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_CLIENT_H_

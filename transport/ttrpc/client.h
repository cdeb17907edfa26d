// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The calling side of one ttrpc connection. Typed calls are in method.h.
//
// Only on the loop's thread, or before the loop runs: other threads Post().

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_CLIENT_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_CLIENT_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/node_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/connection.h"
#include "external_containerizer/transport/ttrpc/metadata.h"
#include "external_containerizer/transport/ttrpc/ttrpc.pb.h"

namespace external_containerizer {
namespace ttrpc {

// What is known of a call that ended.
enum class Outcome {
  kAnswered,  // By the server, with a reply or an error.
  kNotSent,   // No server can have acted on it: it is safe to call again.
  kUnknown,   // It was sent, and may or may not have been acted on.
};

template <typename T>
struct CallResult {
  absl::StatusOr<T> reply;
  Outcome outcome;
};

struct CallOptions {
  // For queueing, sending and answering together. The server is told, but not
  // how much of it the call waited to be sent.
  absl::Duration timeout = absl::InfiniteDuration();
  Metadata metadata;
};

struct ClientOptions {
  size_t max_outstanding = 65'536;  // Calls
  size_t max_queued = 16 << 20;     // Bytes of calls that are not written yet.
  uint32_t first_stream_id = 1;     // Odd.
};

class Client : private Connection::Delegate {
 public:
  using CallId = uint32_t;  // 0: none.
  using Done = absl::AnyInvocable<void(CallResult<std::string>) &&>;

  // Speaks on `fd`, a connected stream socket, which it owns from this call on,
  // also if it fails. The loop must outlive the client.
  static absl::StatusOr<std::unique_ptr<Client>> Create(
      EventLoop& loop, int fd, ClientOptions options = {});

  // The same, with the server at a path, as ConnectUnix(). PERMISSION_DENIED
  // unless its user is one of `allowed_uids`, as CheckPeer().
  static absl::StatusOr<std::unique_ptr<Client>> Connect(
      EventLoop& loop, const std::string& path, ClientOptions options = {},
      const std::vector<uid_t>& allowed_uids = {});

  // Ends what is outstanding with CANCELLED. In any callback, too.
  ~Client() override;

  // `done` is called once, from the loop, never inside this call:
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
  // is not told: it works on, and its reply is dropped.
  void Cancel(CallId id);

  // Is called once from the loop when the connection is lost, or was, after all
  // calls that it had have ended; never once the client is destroyed.
  void WhenClosed(absl::AnyInvocable<void(absl::Status) &&> closed);

  // OK while calls can be made; then why not.
  const absl::Status& status() const { return status_; }
  size_t outstanding() const { return calls_.size(); }
  // Whether the ids will soon be used up: what begins now should go to a new
  // connection. There are a million left for what is under way.
  bool exhausted() const { return next_id_ > kLastId - 2 * kSpareIds; }

 private:
  static constexpr uint64_t kLastId = std::numeric_limits<uint32_t>::max();
  static constexpr uint64_t kSpareIds = 1'000'000;

  struct Outstanding {
    Done done;
    EventLoop::TimerId timer;
    uint64_t begin, end;  // Of its frame, as positions in the connection.
  };

  Client(EventLoop& loop, ClientOptions options)
      : loop_(loop), options_(options), next_id_(options.first_stream_id | 1) {}

  void OnFrame(const Frame& frame) override;
  void OnClosed(const absl::Status& reason) override;

  // Whether it was not, partly or wholly taken by the kernel.
  enum class Progress { kQueued, kPartlyWritten, kWritten };
  Progress ProgressOf(const Outstanding& call) const;

  void Encode(absl::string_view service, absl::string_view method,
              std::string payload, const CallOptions& options);
  absl::Status Admit(const CallOptions& options) const;
  Outstanding Take(uint32_t id);
  void Expire(uint32_t id);
  void EndLater(Done done, absl::Status status, Outcome outcome);
  void TellClosedLater();

  EventLoop& loop_;
  const ClientOptions options_;
  std::shared_ptr<Connection> connection_;
  absl::Status status_;
  uint64_t next_id_;
  // Nodes: room for more of them would take much, where many wait for long.
  absl::node_hash_map<uint32_t, Outstanding> calls_;
  // Shared, for it must not be called once the client is gone.
  std::shared_ptr<absl::AnyInvocable<void(absl::Status) &&>> closed_;
  wire::Request request_;  // Kept for their memory.
  wire::Response response_;
};

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_CLIENT_H_

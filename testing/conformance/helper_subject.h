// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A program that stays, and serves all commands at a Unix socket
// (transport/unix_socket/helper.proto).

#ifndef EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_HELPER_SUBJECT_H_
#define EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_HELPER_SUBJECT_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/conformance/exec_subject.h"
#include "external_containerizer/testing/conformance/subject.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/process.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/unix_socket/helper.h"

namespace external_containerizer {
namespace conformance {

class HelperSubject : public Subject {
 public:
  // `loop` must outlive it, and is run inside its functions. `patience` is
  // for a helper that starts, and for answers that are due at once.
  HelperSubject(EventLoop& loop, ProgramOptions options,
                absl::Duration patience);
  // Kills the helper.
  ~HelperSubject() override;

  // Starts the helper and says Hello, unless that is done. DEADLINE_EXCEEDED
  // if nobody answers in time.
  absl::Status Connect();

  // The command fails if the helper cannot be reached.
  std::unique_ptr<Call> Start(const Request& request) override;

  // Calls of the protocol other than commands, on a connection that is made if
  // there is none.
  template <typename Request, typename Reply>
  absl::StatusOr<Reply> Ask(const ttrpc::Method<Request, Reply>& method,
                            const Request& request) {
    absl::Status connected = Connect();
    if (!connected.ok()) return connected;
    return AskAt(*client_, method, request);
  }

  // Hello with other versions, on a connection of its own.
  absl::StatusOr<helper::v1::HelloReply> Hello(uint32_t oldest,
                                               uint32_t newest);

  // The answer to Hello of the connection.
  const helper::v1::HelloReply& hello() const { return hello_; }
  // The key of the command that was started last.
  uint64_t last_key() const { return last_key_; }

  // With SIGKILL. The next command starts it again.
  void KillHelper();

 private:
  friend class HelperCall;

  template <typename Request, typename Reply>
  absl::StatusOr<Reply> AskAt(ttrpc::Client& client,
                              const ttrpc::Method<Request, Reply>& method,
                              const Request& request) {
    bool done = false;
    absl::StatusOr<Reply> reply = absl::UnknownError("");
    ttrpc::Call(client, method, request, {patience_, {}},
                [&](ttrpc::CallResult<Reply> result) {
                  reply = std::move(result.reply);
                  done = true;
                  loop_.Stop();
                });
    // The call ends by itself, by its timeout.
    RunUntil(done, Deadline(absl::InfiniteDuration()));
    return reply;
  }

  absl::Status StartHelper();
  // Runs the loop; false if the deadline came first.
  bool RunUntil(const bool& done, Deadline deadline);

  EventLoop& loop_;
  const ProgramOptions options_;
  const absl::Duration patience_;
  const std::string socket_;
  Process helper_;
  std::unique_ptr<ttrpc::Client> client_;
  helper::v1::HelloReply hello_;
  uint64_t last_key_ = 0;
};

}  // namespace conformance
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_HELPER_SUBJECT_H_

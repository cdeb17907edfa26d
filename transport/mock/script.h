// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A transport whose every answer a test decides:
//
//   auto script = std::make_shared<Script>();
//   auto containerizer = Containerizer::Create({}, ScriptTransport(script));
//   (*containerizer)->Recover({}, …);
//   auto call = script->Next();
//   ASSERT_NE(call, nullptr);
//   EXPECT_EQ(call->invocation().command, Command::kRecover);
//   call->Succeed();
//
// It has no clock: a call that the test does not answer hangs, whatever its
// timeout is, and also if it was cancelled. Any thread.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_MOCK_SCRIPT_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_MOCK_SCRIPT_H_

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

namespace script_internal {
class Link;
}

// One invocation. The first answer counts, and none once the transport is
// destroyed.
class ScriptedCall {
 public:
  ScriptedCall(InvocationId id, Invocation invocation,
               std::shared_ptr<script_internal::Link> link)
      : id_(id), invocation_(std::move(invocation)), link_(std::move(link)) {}

  const Invocation& invocation() const { return invocation_; }

  // Answers the invocation, from the transport's loop.
  void End(Answer answer);
  // Answers that the program did the command, and wrote `output` if it is set.
  void Succeed(std::optional<std::string> output = std::nullopt);
  // Answers that the command failed.
  void Fail(absl::Status status, Outcome outcome = Outcome::kAnswered);

  // Whether Cancel() was called for the invocation. The second waits for it.
  bool cancelled() const { return WaitForCancel(absl::ZeroDuration()); }
  bool WaitForCancel(absl::Duration timeout = absl::Seconds(30)) const;

  // For the transport.
  void NoteCancel();

 private:
  const InvocationId id_;
  const Invocation invocation_;
  const std::shared_ptr<script_internal::Link> link_;
  mutable absl::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

// The calls of all transports of one script, in order.
class Script {
 public:
  // Transport::MaxWaits() returns `max_waits`.
  explicit Script(size_t max_waits = 1000) : max_waits_(max_waits) {}

  // Whether a call has come that Next() has not returned.
  bool HasCall() const;

  // Waits for the next call, or for the next one with `command`, and returns
  // it. Returns nullptr if none comes within `timeout`.
  std::shared_ptr<ScriptedCall> Next(
      absl::Duration timeout = absl::Seconds(30));
  std::shared_ptr<ScriptedCall> Next(
      Command command, absl::Duration timeout = absl::Seconds(30));

  size_t max_waits() const { return max_waits_; }

  // For the transport.
  void Add(std::shared_ptr<ScriptedCall> call);

 private:
  std::shared_ptr<ScriptedCall> Take(std::optional<Command> command,
                                     absl::Duration timeout);

  const size_t max_waits_;
  mutable absl::Mutex mutex_;
  std::deque<std::shared_ptr<ScriptedCall>> calls_ ABSL_GUARDED_BY(mutex_);
};

TransportFactory ScriptTransport(std::shared_ptr<Script> script);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_MOCK_SCRIPT_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The program under test, as one agent sees it: commands go in, and raw answers
// come out. Everything is bounded by the caller's deadlines.
//
//   const std::unique_ptr<Call> wait = subject.Start({"wait", message,
//   sandbox}); if (!wait->Await(Deadline(absl::Seconds(10)))) ...  // It hangs.
//   if (wait->ended().answer.has_value()) ...

#ifndef EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_SUBJECT_H_
#define EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_SUBJECT_H_

#include <memory>
#include <optional>
#include <string>

#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {
namespace conformance {

// One command that is to be run.
struct Request {
  std::string command;  // "launch", or a word that is none.
  std::string message;  // Serialized; empty for containers and recover.
  std::string sandbox;  // Absolute; empty: there is none.
  Environment environment = {};
};

// How a command ended.
struct Ended {
  bool success = false;
  // It did not end in the time that it had. Nothing else is known then.
  bool hung = false;
  // In words: "exited with status 1, and said: \"no such container\"".
  std::string how;
  // The message that it answered with.
  std::optional<std::string> answer;
  // Where an answer belongs: why the bytes that came are no record. Empty if
  // they are one, or if there are none.
  std::string bad_record;
  // How many bytes came behind a good record.
  size_t behind = 0;
  // Another process still held the pipe of the answer when the command's own
  // process had ended.
  bool held = false;
};

// A command under way. Its destruction ends it, as Kill() does.
class Call {
 public:
  virtual ~Call() = default;

  // False if it has not ended by `deadline`.
  virtual bool Await(Deadline deadline) = 0;

  // After Await() was true.
  const Ended& ended() const { return ended_; }

  // Kills what runs the command with SIGKILL, as if it crashed: the session of
  // its process, or the whole helper. The call is over then.
  virtual void Kill() = 0;

 protected:
  Ended ended_;
};

class Subject {
 public:
  virtual ~Subject() = default;
  virtual std::unique_ptr<Call> Start(const Request& request) = 0;
};

}  // namespace conformance
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_SUBJECT_H_

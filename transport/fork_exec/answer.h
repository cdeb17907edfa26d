// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Turns the end of a command's process into the answer to the command.
//
//   CommandEnd end;
//   end.command = Command::kWait;
//   end.wait_status = status;
//   end.record = std::move(reader).Finish();
//   Answer answer = MakeAnswer(std::move(end));
//   answer.status = WithStderr(answer.status, "cannot open /dev/kvm\n");

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_ANSWER_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_ANSWER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// The reason why the transport ended a process, or that it did not.
enum class Ending {
  kByItself,
  kTimeout,
  kCancelled,
  kFlood,      // It wrote far more than a record.
  kLingering,  // It had answered, or closed its stdout, and did not end.
  kUnwatched,  // The loop could not watch it.
};

// The facts about a command's process after its end.
struct CommandEnd {
  Command command = Command::kRecover;
  std::string program;  // The text that the operator gave.
  Ending ending = Ending::kByItself;
  // Whether the process is dead, with its whole session if the transport ended
  // it.
  bool ended = true;
  std::optional<int> wait_status;
  // The record that it wrote, if the command has a result.
  absl::StatusOr<std::optional<std::string>> record =
      std::optional<std::string>();
  uint64_t trailing_bytes = 0;  // The bytes after the record.
};

// Judges the end by its record, its exit status and the reason. The status of
// the answer does not quote stderr.
Answer MakeAnswer(CommandEnd end);

// Adds the end of `text`, which the program wrote to stderr, to an error. It is
// escaped, so that it cannot move a cursor or begin a new line in a log.
// Returns OK and empty texts unchanged.
absl::Status WithStderr(const absl::Status& status, const std::string& text);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_ANSWER_H_

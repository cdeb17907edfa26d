// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What the end of a process means as the answer to a command.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_ANSWER_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_ANSWER_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// Why we ended a process, if we did.
enum class Ending {
  kByItself,
  kTimeout,
  kCancelled,
  kFlood,      // It wrote without end.
  kLingering,  // Nothing more was expected of it, and it stayed.
  kUnwatched,  // The loop had no room for it.
};

// A command's process, after its end.
struct CommandEnd {
  Command command = Command::kRecover;
  std::string program;  // As the operator gave it.
  Ending ending = Ending::kByItself;
  // Whether the process, and all of its session if we ended it, is dead.
  bool ended = true;
  std::optional<int> wait_status;
  // What it wrote, if it is a command with a result.
  absl::StatusOr<std::optional<std::string>> record =
      std::optional<std::string>();
  uint64_t trailing_bytes = 0;  // Behind the record.
};

// `status` of the answer does not quote stderr yet.
Answer MakeAnswer(CommandEnd end);

// `status`, with the last lines of what the program said on stderr, escaped:
// nothing in it can move a cursor or begin a new line in a log.
absl::Status WithStderr(const absl::Status& status, const std::string& text);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_ANSWER_H_

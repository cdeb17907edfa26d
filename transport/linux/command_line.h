// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What the operator gave as the program's path, turned into what to execute.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_COMMAND_LINE_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {

struct CommandLine {
  std::string file;  // Absolute path of what is executed.
  // argv without its last elements: the command's name, or "serve" and so on.
  std::vector<std::string> arguments;
  bool through_shell = false;
};

// Plain words are executed directly: "/opt/runner --verbose" is a file and a
// fixed argument. With anything in it that a shell would interpret, the text
// is a shell's, as it was to Mesos; the command's name reaches the shell as
// an argument of its own and is never part of what it parses.
//
// The first of plain words is found through `search_path` ($PATH) if it has no
// slash, relative to `directory` if it is relative. FAILED_PRECONDITION if
// there is no such file, or it is not an executable one.
absl::StatusOr<CommandLine> ParseProgram(absl::string_view program,
                                         absl::string_view search_path,
                                         absl::string_view directory);

// Why executing `file` failed with `error`, in words that help an operator:
// errno alone does not tell a missing program from a missing interpreter.
// FAILED_PRECONDITION, RESOURCE_EXHAUSTED, INVALID_ARGUMENT (too long) or
// UNAVAILABLE (being written to).
absl::Status ExecutionError(const std::string& file, int error);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_COMMAND_LINE_H_

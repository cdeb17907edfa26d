// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Turns the operator's text for a program into a file and its arguments.
//
//   absl::StatusOr<CommandLine> line =
//       ParseProgram("runner --verbose", "/usr/local/bin:/usr/bin", "/");
//   // line->file is "/usr/bin/runner", line->arguments "runner", "--verbose".

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_COMMAND_LINE_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_COMMAND_LINE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {

struct CommandLine {
  std::string file;  // The absolute path to execute.
  // argv without its last elements, which are the command's name, or "serve"
  // and its options.
  std::vector<std::string> arguments;
  bool through_shell = false;
};

// Plain words are executed directly: "/opt/runner --verbose" is a file and a
// fixed argument. Text with quotes, `$` or other characters of a shell's syntax
// is given to a shell, as Mesos did with all text. The command's name reaches
// the shell as an argument of its own, so the shell never parses it.
//
// The first plain word is looked up in `search_path` ($PATH) if it has no
// slash, and is relative to `directory` if it does not begin with one. Returns
// FAILED_PRECONDITION if the file is missing or not executable.
absl::StatusOr<CommandLine> ParseProgram(absl::string_view program,
                                         absl::string_view search_path,
                                         absl::string_view directory);

// Explains why execve() of `file` failed with errno `error`: errno alone does
// not tell a missing program from a missing interpreter. Returns
// FAILED_PRECONDITION, RESOURCE_EXHAUSTED, INVALID_ARGUMENT (the arguments are
// too long) or UNAVAILABLE (the file is open for writing: try again).
absl::Status ExecutionError(const std::string& file, int error);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_COMMAND_LINE_H_

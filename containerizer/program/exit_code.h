// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Errors that end a program's process with another exit code than 1. The agent
// learns the code over every transport: as the wait status of the command's
// process, or as CommandReply.wait_status of a helper.
//
//   absl::Status status = absl::FailedPreconditionError("no such command");
//   SetExitCode(kCommandNotFound, status);
//   std::move(reply)(status);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_EXIT_CODE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_EXIT_CODE_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {

// The codes of a failed launch whose container's command does not exist, or
// cannot be executed. Shells use the same ones.
inline constexpr int kCommandNotFound = 127;
inline constexpr int kCommandNotExecutable = 126;

// `code` is from 1 to 255. An OK status stays as it is.
void SetExitCode(int code, absl::Status& status);

// nullopt if none was set.
std::optional<int> ExitCodeOf(const absl::Status& status);

// Returns `status` with another message and the same exit code.
absl::Status WithMessage(const absl::Status& status, absl::string_view message);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_EXIT_CODE_H_

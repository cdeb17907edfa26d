// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// An error that ends a program's process with another exit code than 1. An
// agent learns it over every transport: as the wait status of the command's
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

// What a failed launch means to say by these codes, as shells do: the command
// that the container was to run is not there, or cannot be executed.
inline constexpr int kCommandNotFound = 127;
inline constexpr int kCommandNotExecutable = 126;

// `code` is 1 to 255. No effect on OK.
void SetExitCode(int code, absl::Status& status);

// nullopt if none was set.
std::optional<int> ExitCodeOf(const absl::Status& status);

// `status` with another message; the exit code stays.
absl::Status WithMessage(const absl::Status& status, absl::string_view message);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_EXIT_CODE_H_

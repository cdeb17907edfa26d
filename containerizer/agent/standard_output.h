// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// stdout, for a sub-command that prints something and ends. A failure to write
// is told to the user, and changes the exit status.
//
//   if (!Print("hello\n")) return OutputStatus(0);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_STANDARD_OUTPUT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_STANDARD_OUTPUT_H_

#include "absl/strings/string_view.h"

namespace external_containerizer {

// The exit status of an agent that failed itself, as env(1) and others have it.
inline constexpr int kAgentFailed = 125;

// Writes all of `bytes` to `fd` and blocks until the reader has taken them,
// also where another process made the descriptor non-blocking. Returns 0, or
// errno.
int WriteAll(int fd, absl::string_view bytes);

// Writes `text` without a buffer. Returns false if this call or an earlier one
// failed. To be used by one thread.
bool Print(absl::string_view text);

// Returns the exit status of the process. That is `status` if stdout took all
// that was printed, or if its reader went away, which is no error. Otherwise it
// is kAgentFailed, and stderr says why. For Dispatch(), which calls it once.
int OutputStatus(int status);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_STANDARD_OUTPUT_H_

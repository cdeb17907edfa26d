// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// stdout of a sub-command that prints something and ends: what could not be
// written is said, and shows in the exit status.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_STANDARD_OUTPUT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_STANDARD_OUTPUT_H_

#include "absl/strings/string_view.h"

namespace external_containerizer {

// What the agent exits with when it failed itself, as env(1) and others do.
inline constexpr int kAgentFailed = 125;

// Writes `text` at once. False if stdout takes no more, now or since an earlier
// call. One thread at a time.
bool Print(absl::string_view text);

// For Dispatch(), which asks once: what the process is to exit with. `status`
// if stdout took all that was printed, or if its reader went away, which is no
// error. Otherwise kAgentFailed, and stderr says why.
int PrintedStatus(int status);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_STANDARD_OUTPUT_H_

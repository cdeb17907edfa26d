// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The small files that hold text: forked.pid, libprocess.pid, framework.pid,
// boot_id, executor_generated_for_command_task. White space around the text
// does not matter; Mesos writes none. Pure, except for CurrentBootId().
//
//   absl::StatusOr<pid_t> pid = ParseForkedPid("4321");

#ifndef EXTERNAL_CONTAINERIZER_STATE_TEXT_FILES_H_
#define EXTERNAL_CONTAINERIZER_STATE_TEXT_FILES_H_

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {
namespace state {

// No text file is larger than this.
inline constexpr size_t kMaxTextBytes = 4096;

// forked.pid: the pid of a launch, decimal. Another process may have it by now.
// DATA_LOSS if it is no pid. Numbers below 1 are none: kill() gives them
// another meaning.
absl::StatusOr<pid_t> ParseForkedPid(absl::string_view text);
std::string FormatForkedPid(pid_t pid);

// libprocess.pid and framework.pid: "id@ip:port". A scheduler that speaks HTTP
// has "@0.0.0.0:0". DATA_LOSS for any other text, which Mesos silently reads as
// "@0.0.0.0:0".
absl::StatusOr<std::string> ParseUpid(absl::string_view text);

// executor_generated_for_command_task: "0" or "1". DATA_LOSS for any other
// text.
absl::StatusOr<bool> ParseFlag(absl::string_view text);

// boot_id: the one in the file, and the kernel's. UNAVAILABLE if the kernel
// does not say.
std::string ParseBootId(absl::string_view text);
absl::StatusOr<std::string> CurrentBootId();

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_TEXT_FILES_H_

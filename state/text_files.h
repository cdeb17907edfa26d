// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The small files that hold text: forked.pid, libprocess.pid, framework.pid,
// boot_id, executor_generated_for_command_task. Pure. White space around the
// text does not matter; Mesos writes none.

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

// forked.pid: the pid of a launch, decimal. It says nothing about which
// process has that pid now. DATA_LOSS if it is no pid: kill() gives numbers
// below 1 another meaning, so they are none.
absl::StatusOr<pid_t> ParseForkedPid(absl::string_view text);
std::string FormatForkedPid(pid_t pid);

// libprocess.pid and framework.pid: "id@ip:port". A scheduler that speaks HTTP
// has "@0.0.0.0:0". DATA_LOSS if it is not of that form; Mesos silently reads
// such text as the latter.
absl::StatusOr<std::string> ParseUpid(absl::string_view text);

// executor_generated_for_command_task: 0 or 1, DATA_LOSS otherwise.
absl::StatusOr<bool> ParseFlag(absl::string_view text);

// boot_id, and what the kernel says it is. UNAVAILABLE if the kernel does not
// say.
std::string ParseBootId(absl::string_view text);
absl::StatusOr<std::string> CurrentBootId();

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_TEXT_FILES_H_

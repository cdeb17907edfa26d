// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The options of the fork/exec transport. fork_exec.h has an example.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_OPTIONS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_OPTIONS_H_

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

struct ForkExecOptions {
  // The program: plain words, split at spaces, the first of which is looked up
  // in PATH or relative to the current directory; or text for a shell, if it
  // has quotes, `$` or other characters of a shell's syntax.
  std::string program;

  // An absolute path to a directory that exists, that only the agent can write
  // to, and that one transport at a time uses. It gets a journal of running
  // launch and wait processes.
  std::string work_directory;

  // The variables that programs inherit from this process, with their values
  // when the transport is made: names, prefixes with "*", or "*". nullopt means
  // PATH, HOME, USER, LOGNAME, LANG, LC_*, TZ, TMPDIR, LD_LIBRARY_PATH and
  // DOCKER_*.
  std::optional<std::vector<std::string>> inherit;

  // The largest record that a program may answer with.
  size_t max_output_bytes = size_t{16} << 20;

  // The time to end a session. If it takes longer, the outcome is kUnknown.
  absl::Duration kill_patience = absl::Seconds(5);

  // The time in which a `wait` must end after a complete record, and any
  // command after bytes that are not a record. Then it is ended.
  absl::Duration linger = absl::Seconds(5);

  // Called on the loop for each process that is started, with its command and
  // sandbox. May be null.
  std::function<void(Command, const std::optional<Sandbox>&, pid_t)> on_started;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_OPTIONS_H_

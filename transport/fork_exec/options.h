// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What can be said of a fork/exec transport.

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
  // What to execute: plain words, split at spaces, of which the first is found
  // through PATH or relative to the current directory; or else, with quotes,
  // `$` or the like in it, text for a shell.
  std::string program;

  // Absolute; exists; only the agent can write to it, and one transport at a
  // time uses it. It gets a journal of running launch and wait processes.
  std::string work_directory;

  // The variables that programs inherit from this process, as they are when
  // the transport is made: names, prefixes with "*", or "*". nullopt: PATH,
  // HOME, USER, LOGNAME, LANG, LC_*, TZ, TMPDIR, LD_LIBRARY_PATH, DOCKER_*.
  std::optional<std::vector<std::string>> inherit;

  // The largest record that is taken from a program.
  size_t max_output_bytes = size_t{16} << 20;

  // How long it may take to end a session before that counts as unknown.
  absl::Duration kill_patience = absl::Seconds(5);

  // How long a `wait` may stay after a complete record, and any command after
  // something that is no record.
  absl::Duration linger = absl::Seconds(5);

  // Called on the loop with each process that is started, and for what; may be
  // null. The sandbox tells whose it is.
  std::function<void(Command, const std::optional<Sandbox>&, pid_t)> on_started;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_OPTIONS_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What can be said of a transport to a persistent helper.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_OPTIONS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_OPTIONS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace external_containerizer {

struct UnixSocketOptions {
  // What is started as the helper, with "serve" and "--socket=<path>" behind
  // it: words or shell text, as ForkExecOptions::program.
  std::string program;

  // Absolute; exists; only the agent can write to it. Holds the socket
  // (helper-<number>.sock; the number is of program and user, so that each
  // has a helper of its own; of a program that is relative or looked up in
  // PATH, it is also of the file that was found), its lock, and helper.stderr.
  std::string work_directory;

  // If not empty: of a helper that an operator runs. None is started then, and
  // `program` is only a name.
  std::string socket;

  // As ForkExecOptions::inherit: what programs see of this process's
  // variables. They reach the helper's commands, and a helper that we start.
  std::optional<std::vector<std::string>> inherit;

  // How long a helper may take from its start until it answers; also how long
  // commands are kept for one whose predecessor lets its last commands end,
  // before they are refused with UNAVAILABLE.
  absl::Duration start_timeout = absl::Seconds(10);

  // A helper that has said nothing for `probe_interval` while commands are
  // under way is asked whether it is alive; it hangs if it then says nothing
  // for `probe_timeout`.
  absl::Duration probe_interval = absl::Seconds(5);
  absl::Duration probe_timeout = absl::Seconds(5);

  // Between attempts to reach a helper: doubled from the first to the last.
  absl::Duration min_backoff = absl::Milliseconds(20);
  absl::Duration max_backoff = absl::Seconds(2);

  // After a Cancel(), or when a command's time is over, until the command
  // counts as unknown.
  absl::Duration cancel_patience = absl::Seconds(5);

  // The largest record that is taken from a program.
  size_t max_output_bytes = size_t{16} << 20;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_OPTIONS_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The options of the transport to a persistent helper. unix_socket.h has an
// example.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_OPTIONS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_OPTIONS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace external_containerizer {

struct UnixSocketOptions {
  // The program that is started as the helper, with the arguments "serve" and
  // "--socket=<path>": words or shell text, as ForkExecOptions::program.
  std::string program;

  // An absolute path to a directory that exists and that only the agent can
  // write to. It holds the socket, helper-<number>.sock, its lock, and
  // helper.stderr. The number depends on the program's text and the user, and
  // for a relative program, or one that is looked up in PATH, also on the file:
  // each has its own helper.
  std::string work_directory;

  // The socket of a helper that an operator runs. If it is set, no helper is
  // started and `program` is only a name for messages.
  std::string socket;

  // The variables that programs inherit, as ForkExecOptions::inherit. They are
  // given to a helper that is started here, and to each command.
  std::optional<std::vector<std::string>> inherit;

  // The time from the start of a helper until it answers. Commands also wait
  // this long for the end of an older helper, and are then refused with
  // UNAVAILABLE.
  absl::Duration start_timeout = absl::Seconds(10);

  // A helper that has sent nothing for `probe_interval` while commands are
  // under way gets a Ping. It hangs if it then sends nothing for
  // `probe_timeout`.
  absl::Duration probe_interval = absl::Seconds(5);
  absl::Duration probe_timeout = absl::Seconds(5);

  // The pause between attempts to reach a helper: it is doubled after each.
  absl::Duration min_backoff = absl::Milliseconds(20);
  absl::Duration max_backoff = absl::Seconds(2);

  // The time from Cancel(), or from the end of a command's time, until the
  // outcome of the command is kUnknown.
  absl::Duration cancel_patience = absl::Seconds(5);

  // The largest record that a program may answer with.
  size_t max_output_bytes = size_t{16} << 20;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_OPTIONS_H_

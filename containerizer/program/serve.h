// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A whole process that is a helper: `program serve --socket=PATH`. For mains
// only: it takes over the process's signals.
//
//   PATH       the socket, of mode 0600 in a directory that only this user may
//              write to; PATH.lock keeps a second helper away and has the pid
//   stderr     what it has to say
//   SIGTERM, SIGINT   stops listening, cancels what waits, ends when the last
//              command has, or after --drain_limit (30s); at once when it comes
//              twice
//   Shutdown   the same, and commands may take the time that their agents gave
//              them, and then the limit
//   by itself  so, when nobody has been connected for --idle_exit (60s; "inf"
//              for never) and no command is under way; or nobody is connected
//              and PATH is not its socket any more
//
// The soft limit on descriptors becomes the hard one. What handlers execute
// gets the default signals; DescriptorLimitToPassOn() is the limit for it.
//
// A listening socket from systemd (LISTEN_FDS) takes the place of --socket.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_SERVE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_SERVE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

inline constexpr char kServeArgument[] = "serve";

// Makes what is served, on the loop, once the socket's lock is held.
// `own_path` is for files of its own: no other helper's, and nothing else's.
using ServedTransport =
    absl::AnyInvocable<absl::StatusOr<std::unique_ptr<Transport>>(
                           EventLoop& loop, const std::string& own_path) &&>;

// `arguments` are those after "serve". Returns what main() should: 0; 1 after
// an error, with a line on stderr; 2 for arguments that it does not understand;
// 3 if another helper serves there. main() should return soon: what hangs in
// its destructors is ended 5 s later.
int ServeMain(const std::string& program,
              const std::vector<std::string>& arguments,
              ServedTransport transport);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_SERVE_H_

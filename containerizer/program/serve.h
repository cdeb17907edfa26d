// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The main() of a helper: `program serve --socket=PATH`. It takes over the
// process's signals.
//
//   int main(int argc, char** argv) {
//     return ServeMain("my_program", {argv + 2, argv + argc}, MakeTransport);
//   }
//
// PATH is the socket. It has mode 0600, in a directory to which only this user
// may write. PATH.lock keeps a second helper away, and has the pid. With a
// listening socket from systemd (LISTEN_FDS), --socket is left out. Messages go
// to stderr.
//
// A helper ends in one of these ways:
//
//   SIGTERM, SIGINT  It stops listening, cancels the commands that wait, and
//                    ends when the last command has ended, or after
//                    --drain_limit (30s). At a second signal it ends at once.
//   Shutdown         The same, but commands may first take the time that their
//                    agents gave them.
//   idle             It ends when nobody has been connected for --idle_exit
//                    (60s, or "inf" for never) and no command is under way.
//   replaced         It ends when nobody is connected and PATH is not its
//                    socket any more.
//
// The soft limit on descriptors becomes the hard one. A child of a handler
// should have DescriptorLimitToPassOn(); it gets the default signals.

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

// Makes the transport that is served, on the loop, when the socket's lock is
// held. `own_path` is a place for the transport's files that nothing else uses.
using ServedTransport =
    absl::AnyInvocable<absl::StatusOr<std::unique_ptr<Transport>>(
                           EventLoop& loop, const std::string& own_path) &&>;

// `arguments` are the ones after "serve". Returns the exit code for main(): 0;
// 1 after an error, with a line on stderr; 2 if the arguments make no sense; 3
// if another helper serves there. main() should return soon: a destructor that
// hangs is ended 5 s later.
int ServeMain(const std::string& program,
              const std::vector<std::string>& arguments,
              ServedTransport transport);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_SERVE_H_

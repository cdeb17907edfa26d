// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Gives the commands to a persistent helper, many at once over one Unix socket
// (helper.proto): without a process per command, or a descriptor or thread per
// wait.
//
//   UnixSocketOptions options;
//   options.program = "/opt/bin/my_program";
//   options.work_directory = "/var/lib/my_agent/transport";
//   auto containerizer =
//       Containerizer::Create(Options(), UnixSocketTransport(options));
//
// The helper is the program itself, as `program [arguments] serve
// --socket=<path>`. It is started when no process listens at the socket, in a
// session of its own. It outlives this process, and ends by itself when no
// agent has been connected for a while. Its stderr is appended to helper.stderr
// in the work directory; when that reaches 1 MiB, its content is moved to
// helper.stderr.old, also while the helper runs. A lock beside the socket keeps
// other helpers from serving there. A helper that is older than this transport,
// or whose executable on disk was replaced, is told to end after its last
// command, and a new one is started.
//
// If a connection is lost, its commands end with kUnknown, or with kNotStarted
// if no helper can have read them; the next command connects anew, after a
// back-off. A probe finds a helper that hangs (SIGSTOP, a deadlock): its
// commands end in the same way, with UNAVAILABLE, the pid and advice. It is not
// killed, because it may be stopped on purpose (a debugger, a freezer) or
// starve on a busy machine, and other agents may have commands there. No second
// helper is started beside it, because its destroy could overtake a launch of
// the first. Once the hung helper has ended, the next command starts a new one.
//
// The transport enforces a command's time and Cancel(): it tells the helper to
// cancel, which has `cancel_patience` to prove that the command has ended.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_UNIX_SOCKET_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_UNIX_SOCKET_H_

#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/unix_socket/options.h"

namespace external_containerizer {

// Makes the factory of this transport. The factory fails with
// FAILED_PRECONDITION if the program cannot be executed or the work directory
// cannot be used. It does not wait for a helper: the first command does.
// Commands end with kNotStarted and
//   FAILED_PRECONDITION  the program does not serve; the path is not a socket;
//                        the helper speaks another version
//   PERMISSION_DENIED    the helper is not this user's, nor root's
//   UNAVAILABLE          no helper can be reached now; it hangs
TransportFactory UnixSocketTransport(UnixSocketOptions options);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_UNIX_SOCKET_H_

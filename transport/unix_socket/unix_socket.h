// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Gives the commands to a persistent helper, many at once over one Unix socket
// (helper.proto): no process per command, no descriptor or thread per wait.
//
// The helper is the program itself, as `program [arguments] serve
// --socket=<path>`. It is started when none answers at the socket, in a session
// of its own, and outlives this process; it ends by itself when nobody has been
// connected for a while. Its stderr is appended to helper.stderr in the work
// directory. Two cannot serve at one socket: they have a lock of their own. One
// that is older than this transport, or whose executable on disk has been
// replaced, is told to end after its last command, and a new one is started.
//
// A connection that is lost makes its commands kUnknown, kNotStarted if
// provably no helper can have read them; the next command connects anew, with
// back-off. A helper that hangs (SIGSTOP, a deadlock) is found out by a probe;
// its commands end so, too, with UNAVAILABLE, its pid and what to do. It is not
// killed: it may be stopped on purpose (a debugger, a freezer) or starve on a
// busy machine, and then goes on; ended, it would take with it what other
// agents have under way there. Nor is one started beside it: a destroy by the
// one could meet a launch by the other. Once it is ended the next command
// starts the next one.
//
// A command's time, and a Cancel(), are enforced here: the helper is told to
// cancel and has `cancel_patience` to prove that the command has ended.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_UNIX_SOCKET_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_UNIX_SOCKET_H_

#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/unix_socket/options.h"

namespace external_containerizer {

// The factory fails with FAILED_PRECONDITION if the program cannot be executed
// or the work directory not used. It does not wait for a helper: the first
// command does. Commands end, kNotStarted, with
//   FAILED_PRECONDITION  the program does not serve; what is at the path is no
//                        socket; the helper speaks another version
//   PERMISSION_DENIED    the helper is not this user's, nor root's
//   UNAVAILABLE          no helper can be reached now; it hangs
TransportFactory UnixSocketTransport(UnixSocketOptions options);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_UNIX_SOCKET_H_

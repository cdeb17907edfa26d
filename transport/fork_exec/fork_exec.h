// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Runs the program once per command, as `program [arguments] <command>`, in a
// session of its own, with records on pipes.
//
//   fd 0  the record and then EOF; /dev/null for containers and recover
//   fd 1  a pipe for commands with a result; <sandbox>/stdout for launch
//   fd 2  <sandbox>/stderr; without a sandbox <work_directory>/program.stderr
//
// The working directory is the sandbox; without one, that of this process.
//
// A task can do what it likes to its sandbox, and is ended and asked for all
// the same. A `launch` fails if the sandbox, or `stdout` or `stderr` in it,
// cannot be used. Every other command then runs in the work directory if the
// sandbox cannot be opened, and with program.stderr if `stderr` cannot, which
// is put aside as program.stderr.old when it has 1 MiB.
//
// Signals have their default dispositions, and none is blocked. The program
// may ignore its input, write too much or leave descendants on its
// descriptors: a command is over when its process is.
//
// If this process ignores SIGCHLD, so that the kernel keeps no exit status, a
// shell stands between and tells it: a death by signal N is then exit 128 + N.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_FORK_EXEC_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_FORK_EXEC_H_

#include "external_containerizer/transport/fork_exec/options.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// A command's time, and a Cancel(), begin when the kernel has executed the
// program: where that itself hangs, on a file server that is gone, they wait
// for it. Keep the program on a local disk.
//
// The factory fails with FAILED_PRECONDITION if the program cannot be
// executed, or the work directory not used, e.g. because another transport
// uses it, for which it waits 2 s. Launch and wait processes that a dead agent
// left are ended before the first command starts. A launch or other command
// that is left running by the destructor stays a child of this process, which
// does not reap it; the next transport on the same work directory in this
// process ends and reaps launches.
TransportFactory ForkExecTransport(ForkExecOptions options);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_FORK_EXEC_H_

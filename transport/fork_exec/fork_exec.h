// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Runs the program once per command, as `program [arguments] <command>`, in a
// session of its own, with records on pipes.
//
//   ForkExecOptions options;
//   options.program = "/opt/bin/my_program --verbose";
//   options.work_directory = "/var/lib/my_agent/transport";
//   auto containerizer =
//       Containerizer::Create(Options(), ForkExecTransport(options));
//
//   fd 0  the record and then EOF, on a pipe or, if it is large, in a file;
//         /dev/null for containers and recover
//   fd 1  a pipe for commands with a result; <sandbox>/stdout for launch
//   fd 2  <sandbox>/stderr; without a sandbox <work_directory>/program.stderr
//
// The working directory is the sandbox; without one, that of this process.
//
// A task can damage its sandbox, and the other commands work nonetheless. A
// `launch` fails if the sandbox, or `stdout` or `stderr` in it, cannot be used.
// Every other command runs in the work directory if the sandbox cannot be
// opened, and writes to program.stderr if `stderr` cannot be opened. When
// program.stderr reaches 1 MiB, its content is moved to program.stderr.old.
//
// Signals have their default dispositions, and none is blocked. A command is
// over when its process ends, also if the program ignores its input, writes too
// much, or leaves descendants that keep its descriptors open.
//
// If this process ignores SIGCHLD, the kernel keeps no exit status. Then a
// shell starts the program and reports the status: a death by signal N is exit
// 128 + N.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_FORK_EXEC_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_FORK_EXEC_H_

#include "external_containerizer/transport/fork_exec/options.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// Makes the factory of this transport. A command's time, and the effect of
// Cancel(), begin when the kernel has executed the program. If execution itself
// hangs, for example on a dead file server, they wait for it: keep the program
// on a local disk.
//
// The factory fails with FAILED_PRECONDITION if the program cannot be executed,
// or if the work directory cannot be used, for example because another
// transport uses it; it waits up to 2 s for that transport. Launch and wait
// processes that a dead agent left are ended before the first command starts.
//
// The destructor of the transport kills and does not wait: the loop reaps the
// killed processes, if it runs on. A launch, update or destroy that runs on
// stays a child of this process, which does not reap it. The next transport
// with the same work directory in this process ends and reaps launches.
TransportFactory ForkExecTransport(ForkExecOptions options);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_FORK_EXEC_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The process that stays with a container: parent of its task, and of all that
// the task leaves behind (PR_SET_CHILD_SUBREAPER), until nothing of it is left.
// It has a session of its own, "/" as working directory, no environment, and
// only the container's file open. It survives whoever launched the container,
// and writes down how the task ended; where it cannot (a full disk), it tries
// again for up to a minute before it ends.
//
//   SIGTERM   end the container: SIGTERM to all its processes, SIGKILL after a
//             grace. A queued signal carries the grace, in milliseconds.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SUPERVISOR_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SUPERVISOR_H_

#include <cstddef>

namespace external_containerizer {
namespace posix_internal {

// The argument with which `posix` is the supervisor.
inline constexpr char kSuperviseArgument[] = "supervise";

// If the signal that ends a container carries no grace.
inline constexpr int kDefaultGraceMilliseconds = 3000;

// What the supervisor finds open at its start, besides the task's stdout and
// stderr on 1 and 2. Its working directory is the task's.
inline constexpr int kLaunchFd = 0;  // a socket: TaskSpec in, StartReport out
inline constexpr int kContainerFd =
    3;  // the container's file, locked by launch

// The most that an encoded TaskSpec may have. The kernel executes nothing whose
// arguments and environment have more than 6 MiB.
inline constexpr size_t kMaxTaskSpec = 16 << 20;

// main() of the supervisor. From the StartReport on, the container's file is
// unlocked, and the launch's descriptors are closed.
int SupervisorMain();

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SUPERVISOR_H_

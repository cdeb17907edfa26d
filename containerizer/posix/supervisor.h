// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The process that stays with a container until none of its processes is left.
// It is the parent of the task, and becomes the parent of every process that
// the task leaves behind (PR_SET_CHILD_SUBREAPER). It has a session of its own,
// the working directory "/", no environment, and no file open but the
// container's.
//
// The supervisor outlives the process that launched the container. It writes
// down how the task ended; if the disk is full, it tries again for up to a
// minute.
//
// SIGTERM tells it to end the container: it sends SIGTERM to all processes of
// the container, and SIGKILL after a grace. A queued signal carries the grace
// in milliseconds (TellToTerminate()).
//
// An idle supervisor has at most 0.35 MiB of memory, with shared memory divided
// by its users. This prints the figure:
//
//   bazel test -c opt //containerizer/posix:posix_supervisor_test
//       --test_output=all --test_filter='*IdleSupervisor*'

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SUPERVISOR_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SUPERVISOR_H_

#include <cstddef>

namespace external_containerizer {
namespace posix_internal {

// The argument that makes `posix` the supervisor. It is no command for users.
inline constexpr char kSuperviseArgument[] = "supervise";

// The grace if the SIGTERM carries none.
inline constexpr int kDefaultGraceMilliseconds = 3000;

// The supervisor starts with the task's stdout and stderr on 1 and 2, in the
// task's working directory, and with these two:
inline constexpr int kLaunchFd = 0;     // a socket for TaskSpec, StartReport
inline constexpr int kContainerFd = 3;  // the container's file, locked

// The most bytes of an encoded TaskSpec. The kernel accepts at most 6 MiB of
// arguments and environment.
inline constexpr size_t kMaxTaskSpec = 16 << 20;

// The main() of the supervisor. It returns when the container has ended. After
// it has sent the StartReport, the container's file is unlocked and all
// descriptors of the launch are closed.
int SupervisorMain();

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SUPERVISOR_H_

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

#include <cstdint>

namespace external_containerizer {
namespace posix_internal {

// The argument with which `posix` is the supervisor.
inline constexpr char kSuperviseArgument[] = "supervise";

// If the signal that ends a container carries no grace.
inline constexpr int kDefaultGraceMilliseconds = 3000;

// What the supervisor finds open at its start, besides /dev/null on 0, 1, 2.
enum SupervisorFd : int {
  kContainerFd = 3,  // the container's file, locked by launch
  kReportFd = 4,     // a pipe, for one StartReport
  kSpecFd = 5,       // a memfd that holds a TaskSpec
  kSandboxFd = 6,    // the task's working directory
  kStdoutFd = 7,     // of the task
  kStderrFd = 8,
  kEndOfFds = 9,
};

// Whether the task was executed; if not, what failed.
struct StartReport {
  enum Stage : int32_t {
    kRunning = 0,
    kPrepare,  // the supervisor itself
    kRecord,   // writing down that the container runs
    kFork,     // making the task's process
    kEnter,    // working directory, session, stdin, stdout, stderr
    kCgroup,   // joining its cgroups
    kLimit,    // resource limits
    kUser,     // becoming its user
    kExecute,  // the task's executable
  };
  int32_t stage = kRunning;
  int32_t error = 0;  // errno
};

// main() of the supervisor. From the StartReport on, the container's file is
// unlocked.
int SupervisorMain();

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_SUPERVISOR_H_

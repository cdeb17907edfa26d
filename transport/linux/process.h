// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Starts a process in a session of its own.
//
//   ProcessFiles files;
//   files.stdin_fd.Reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
//   ...  // stdout_fd and stderr_fd, too.
//   Process process;
//   if (const int error = Spawn("/bin/true", argv, envp, std::move(files),
//                               &process)) {
//     return ExecutionError("/bin/true", error);
//   }

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_H_

#include <sys/types.h>

#include <string>

#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {

// The process's descriptors 0, 1 and 2, which must be valid, and 3. It inherits
// no others.
struct ProcessFiles {
  UniqueFd stdin_fd;
  UniqueFd stdout_fd;
  UniqueFd stderr_fd;
  UniqueFd extra;      // Its descriptor 3, if valid.
  UniqueFd directory;  // Its working directory, if valid; else ours.
};

struct Process {
  pid_t pid = -1;
  // Not valid if the process has ended and was reaped: by another part of this
  // process, or by the kernel because this process ignores SIGCHLD.
  UniqueFd pidfd;
};

// Executes `file` as the leader of a new session, with an empty signal mask,
// default dispositions and the limit DescriptorLimitToPassOn(). Returns 0, or
// the errno that says why the process did not start. Closes `files` in any
// case. Blocks until the kernel has executed the file. Any thread.
int Spawn(const char* file, char* const* argv, char* const* envp,
          ProcessFiles files, Process* process);

// Says in words what a status of waitpid() means: "exited with status 3" or
// "was killed by signal 9 (Killed)".
std::string DescribeWaitStatus(int wait_status);

// Whether the kernel reaps children, because this process ignores SIGCHLD:
// their exit statuses are lost then.
bool ChildrenVanish();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_H_

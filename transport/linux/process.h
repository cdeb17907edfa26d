// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Starts a process in a session of its own.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_H_

#include <sys/types.h>

#include <string>

#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {

// What becomes the process's descriptors; it gets no others.
struct ProcessFiles {
  UniqueFd stdin_fd;
  UniqueFd stdout_fd;
  UniqueFd stderr_fd;
  UniqueFd extra;      // Its descriptor 3, if valid.
  UniqueFd directory;  // Its working directory, if valid; else ours.
};

struct Process {
  pid_t pid = -1;
  // Not valid if the process ended at once and somebody reaped it (or the
  // kernel did, because this process ignores SIGCHLD).
  UniqueFd pidfd;
};

// Executes `file` as the leader of a new session, with the default signal mask
// and dispositions, and DescriptorLimitToPassOn(). 0, or the errno that says
// why it did not start. Closes `files` in any case. Returns when the kernel has
// executed the file. Any thread.
int Spawn(const char* file, char* const* argv, char* const* envp,
          ProcessFiles files, Process* process);

// "exited with status 3" or "was killed by signal 9 (Killed)", of what
// waitpid() tells.
std::string DescribeWaitStatus(int wait_status);

// Whether children that end vanish unreaped, as they do if this process
// ignores SIGCHLD.
bool ChildrenVanish();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Starts a process in a session of its own.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_H_

#include <spawn.h>
#include <sys/types.h>

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

class Spawner {
 public:
  Spawner();
  ~Spawner();
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;

  // Executes `file` as the leader of a new session, with the default signal
  // mask and dispositions. 0, or the errno that says why it did not start.
  // Closes `files` in any case.
  int Spawn(const char* file, char* const* argv, char* const* envp,
            ProcessFiles files, Process* process) const;

 private:
  posix_spawnattr_t attributes_;
};

// Whether children that end vanish unreaped, as they do if this process
// ignores SIGCHLD.
bool ChildrenVanish();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_H_

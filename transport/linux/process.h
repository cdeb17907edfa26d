// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Starts a process in a session of its own, and tells how it ended. A process
// is held by its pidfd, never by its number alone.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_H_

#include <spawn.h>
#include <sys/types.h>

#include <optional>

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

// Invalid, with errno set, if there is no such process or no descriptor.
UniqueFd OpenPidfd(pid_t pid);

// No effect on a process that has ended.
void SendSignal(int pidfd, int signal);

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

enum class ProcessState {
  kRunning,
  kEnded,
  kReaped,  // By somebody else: how it ended cannot be known.
};

// Reaps a child that has ended, and then sets `wait_status`.
ProcessState Reap(int pidfd, std::optional<int>* wait_status);

// Whether what `pidfd` refers to has ended, reaped or not.
bool HasEnded(int pidfd);

// Whether children that end vanish unreaped, as they do if this process
// ignores SIGCHLD.
bool ChildrenVanish();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROCESS_H_

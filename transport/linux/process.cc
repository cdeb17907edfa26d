// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "external_containerizer/transport/linux/pidfd.h"

namespace external_containerizer {
namespace {

// Gives `fd` a number that no action below writes over: this process may have
// started without some of its own 0, 1 and 2.
int MoveUp(UniqueFd* fd) {
  if (!fd->valid() || fd->get() > 3) return 0;
  const int moved = fcntl(fd->get(), F_DUPFD_CLOEXEC, 4);
  if (moved < 0) return errno;
  fd->Reset(moved);
  return 0;
}

class FileActions {
 public:
  FileActions() { error_ = posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }

  void Dup(int from, int to) {
    if (error_ == 0) {
      error_ = posix_spawn_file_actions_adddup2(&actions_, from, to);
    }
  }
  void ChangeDirectory(int directory) {
    if (error_ == 0) {
      error_ = posix_spawn_file_actions_addfchdir_np(&actions_, directory);
    }
  }
  void CloseFrom(int fd) {
    if (error_ == 0) {
      error_ = posix_spawn_file_actions_addclosefrom_np(&actions_, fd);
    }
  }

  int error() const { return error_; }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
  int error_;
};

}  // namespace

Spawner::Spawner() {
  posix_spawnattr_init(&attributes_);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes_, &none);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigdefault(&attributes_, &all);
  posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID |
                                             POSIX_SPAWN_SETSIGMASK |
                                             POSIX_SPAWN_SETSIGDEF);
}

Spawner::~Spawner() { posix_spawnattr_destroy(&attributes_); }

int Spawner::Spawn(const char* file, char* const* argv, char* const* envp,
                   ProcessFiles files, Process* process) const {
  for (UniqueFd* fd :
       {&files.stdin_fd, &files.stdout_fd, &files.stderr_fd, &files.extra}) {
    if (const int error = MoveUp(fd)) return error;
  }
  FileActions actions;
  if (files.directory.valid()) actions.ChangeDirectory(files.directory.get());
  actions.Dup(files.stdin_fd.get(), 0);
  actions.Dup(files.stdout_fd.get(), 1);
  actions.Dup(files.stderr_fd.get(), 2);
  if (files.extra.valid()) actions.Dup(files.extra.get(), 3);
  actions.CloseFrom(files.extra.valid() ? 4 : 3);
  if (actions.error() != 0) return actions.error();

  pid_t pid;
  const int error =
      posix_spawn(&pid, file, actions.get(), &attributes_, argv, envp);
  if (error != 0) return error;
  process->pid = pid;
  // Before a descriptor is asked for, so that there is one to be had.
  files = ProcessFiles();
  process->pidfd = OpenPidfd(pid);
  if (process->pidfd.valid() || errno == ESRCH) return 0;
  // Without a pidfd there is no way to watch it. While it is our child and not
  // reaped, the number is still its own; and SIGKILL does not keep us waiting
  // for a process that has only just begun. If nobody has to reap it, the
  // number may be another's already, and must not be used.
  const int pidfd_error = errno;
  if (ChildrenVanish()) return pidfd_error;
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return pidfd_error;
}

bool ChildrenVanish() {
  struct sigaction action = {};
  if (sigaction(SIGCHLD, nullptr, &action) != 0) return false;
  return action.sa_handler == SIG_IGN || (action.sa_flags & SA_NOCLDWAIT) != 0;
}

}  // namespace external_containerizer

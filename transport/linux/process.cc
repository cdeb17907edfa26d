// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/linux/descriptor_limit.h"
#include "external_containerizer/transport/linux/pidfd.h"

namespace external_containerizer {
namespace {

// Gives `fd` a number above 3, so that no dup2() below overwrites it: this
// process may have been started without descriptors 0, 1 and 2.
int MoveUp(UniqueFd* fd) {
  if (!fd->valid() || fd->get() > 3) return 0;
  const int moved = fcntl(fd->get(), F_DUPFD_CLOEXEC, 4);
  if (moved < 0) return errno;
  fd->Reset(moved);
  return 0;
}

// The input of the child, which must not allocate memory or take a lock.
struct Plan {
  const char* file;
  char* const* argv;
  char* const* envp;
  const ProcessFiles* files;
  const rlimit* descriptors;  // Or null.
  mutable volatile int error = 0;
};

// Closes all descriptors that are not in ProcessFiles.
bool CloseFrom(int first) {
  if (syscall(SYS_close_range, first, ~0u, 0) == 0) return true;
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  for (int fd = first; fd < static_cast<int>(limit.rlim_cur); ++fd) close(fd);
  return true;
}

bool Prepare(const Plan& plan) {
  const ProcessFiles& files = *plan.files;
  const int after = files.extra.valid() ? 4 : 3;
  setsid();
  struct sigaction usual = {};
  usual.sa_handler = SIG_DFL;
  // The C library refuses two numbers that it uses itself.
  for (int number = 1; number < NSIG; ++number) {
    sigaction(number, &usual, nullptr);
  }
  sigset_t none;
  sigemptyset(&none);
  return (!files.directory.valid() || fchdir(files.directory.get()) == 0) &&
         dup2(files.stdin_fd.get(), 0) == 0 &&
         dup2(files.stdout_fd.get(), 1) == 1 &&
         dup2(files.stderr_fd.get(), 2) == 2 &&
         (!files.extra.valid() || dup2(files.extra.get(), 3) == 3) &&
         CloseFrom(after) &&
         (plan.descriptors == nullptr ||
          setrlimit(RLIMIT_NOFILE, plan.descriptors) == 0) &&
         sigprocmask(SIG_SETMASK, &none, nullptr) == 0;
}

// vfork(): the child shares this process's memory, and this thread waits until
// the child has executed the file or ended. posix_spawn() does the same, but
// cannot set the limit of descriptors. Returns -1, with errno, if no process
// can be made.
__attribute__((noinline)) pid_t Fork(const Plan& plan) {
  const pid_t pid = vfork();
  if (pid != 0) return pid;
  if (Prepare(plan)) execve(plan.file, plan.argv, plan.envp);
  plan.error = errno;
  _exit(127);
}

}  // namespace

int Spawn(const char* file, char* const* argv, char* const* envp,
          ProcessFiles files, Process* process) {
  for (UniqueFd* fd :
       {&files.stdin_fd, &files.stdout_fd, &files.stderr_fd, &files.extra}) {
    if (const int error = MoveUp(fd)) return error;
  }
  const std::optional<rlimit> descriptors = DescriptorLimitToPassOn();
  Plan plan = {file, argv, envp, &files,
               descriptors.has_value() ? &*descriptors : nullptr};
  // Signals are blocked, so that no handler runs in the child.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = Fork(plan);
  const int fork_error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return fork_error;
  if (plan.error != 0) {
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return plan.error;
  }
  process->pid = pid;
  // First, so that a descriptor is free for the pidfd.
  files = ProcessFiles();
  process->pidfd = OpenPidfd(pid);
  if (process->pidfd.valid() || errno == ESRCH) return 0;
  // A process without a pidfd cannot be watched, so it is killed. The number is
  // still its own, because a child that was not reaped keeps it, and waiting
  // for a process that has just begun takes no time. If the kernel reaps
  // children, the number may belong to another process already, and must not be
  // used.
  const int pidfd_error = errno;
  if (ChildrenVanish()) return pidfd_error;
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return pidfd_error;
}

std::string DescribeWaitStatus(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const int signal = WTERMSIG(wait_status);
    const char* name = sigdescr_np(signal);
    return absl::StrCat("was killed by signal ", signal, " (",
                        name == nullptr ? "unknown" : name, ")");
  }
  return absl::StrCat("exited with status ", WEXITSTATUS(wait_status));
}

bool ChildrenVanish() {
  struct sigaction action = {};
  if (sigaction(SIGCHLD, nullptr, &action) != 0) return false;
  return action.sa_handler == SIG_IGN || (action.sa_flags & SA_NOCLDWAIT) != 0;
}

}  // namespace external_containerizer

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

// Gives `fd` a number that no action below writes over: this process may have
// started without some of its own 0, 1 and 2.
int MoveUp(UniqueFd* fd) {
  if (!fd->valid() || fd->get() > 3) return 0;
  const int moved = fcntl(fd->get(), F_DUPFD_CLOEXEC, 4);
  if (moved < 0) return errno;
  fd->Reset(moved);
  return 0;
}

// What the child needs, which allocates nothing and takes no lock.
struct Plan {
  const char* file;
  char* const* argv;
  char* const* envp;
  const ProcessFiles* files;
  const rlimit* descriptors;  // Or null.
  mutable volatile int error = 0;
};

// Closes what is not ours to hand on.
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
  // A few numbers are refused: they belong to the C library.
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

// vfork(): the child shares our memory, and this thread waits until it has
// executed the file or ended. posix_spawn() does the same, and cannot set the
// limit of descriptors. -1, with errno, if there is no process to be had.
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
  // No handler of ours is to run in the child.
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

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/pidfd.h"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace external_containerizer {

// The header of glibc 2.36 that declares these two does not link from C++.
UniqueFd OpenPidfd(pid_t pid) {
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

bool SendSignal(int pidfd, int signal, siginfo_t* info) {
  return syscall(SYS_pidfd_send_signal, pidfd, signal, info, 0) == 0;
}

bool HasEnded(int pidfd) {
  return AwaitEnd(pidfd, Deadline(absl::ZeroDuration()));
}

bool AwaitEnd(int pidfd, Deadline deadline) {
  pollfd end = {pidfd, POLLIN, 0};
  for (;;) {
    const int ready = poll(&end, 1, deadline.PollMilliseconds());
    if (ready > 0) return true;
    if (ready == 0 && deadline.Expired()) return false;
    if (ready < 0 && errno != EINTR) return false;
  }
}

ProcessState Reap(int pidfd, std::optional<int>* wait_status) {
  siginfo_t info = {};
  while (waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED | WNOHANG) !=
         0) {
    if (errno != EINTR) {
      return HasEnded(pidfd) ? ProcessState::kReaped : ProcessState::kRunning;
    }
  }
  if (info.si_pid == 0) return ProcessState::kRunning;
  switch (info.si_code) {
    case CLD_EXITED:
      *wait_status = W_EXITCODE(info.si_status, 0);
      break;
    case CLD_DUMPED:
      *wait_status = info.si_status | WCOREFLAG;
      break;
    default:
      *wait_status = info.si_status;
  }
  return ProcessState::kEnded;
}

}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A process held by a descriptor: a number may be another process's by now, a
// descriptor may not.
//
//   const UniqueFd pidfd = OpenPidfd(pid);
//   if (!pidfd.valid()) return;  // errno ESRCH: it is gone.
//   SendSignal(pidfd.get(), SIGTERM);
//   if (AwaitEnd(pidfd.get(), Deadline(absl::Seconds(3)))) ...

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PIDFD_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PIDFD_H_

#include <signal.h>
#include <sys/types.h>

#include <optional>

#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {

// Close-on-exec. Becomes readable when the process ends. Invalid, with errno
// set, if there is no such process (ESRCH) or no descriptor or memory.
UniqueFd OpenPidfd(pid_t pid);

// False, with errno set, if it was not sent: ESRCH if the process has ended and
// was reaped. `info` is what the receiver is told of the sender, or null.
bool SendSignal(int pidfd, int signal, siginfo_t* info = nullptr);

// Whether the process has ended, reaped or not.
bool HasEnded(int pidfd);

// The same, and waits for the end until `deadline`. Blocks.
bool AwaitEnd(int pidfd, Deadline deadline);

enum class ProcessState {
  kRunning,
  kEnded,
  kReaped,  // By somebody else, or it was not our child: how it ended cannot
            // be known.
};

// Reaps a child if it has ended, and then sets `wait_status`, as waitpid() has
// it. Never blocks.
ProcessState Reap(int pidfd, std::optional<int>* wait_status);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PIDFD_H_

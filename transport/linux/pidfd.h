// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Descriptors of processes. A number may belong to another process later, a
// descriptor never does.
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

// Opens a descriptor that becomes readable when the process ends. It is
// close-on-exec. Invalid, with errno, if the process does not exist (ESRCH) or
// no descriptor or memory is left.
UniqueFd OpenPidfd(pid_t pid);

// Sends a signal. Returns false, with errno, if that fails: ESRCH if the
// process has ended and was reaped. `info` is given to the receiver; it may be
// null.
bool SendSignal(int pidfd, int signal, siginfo_t* info = nullptr);

// Whether the process has ended, reaped or not.
bool HasEnded(int pidfd);

// Waits until the process has ended, and returns true, or until `deadline`, and
// returns false. Blocks.
bool AwaitEnd(int pidfd, Deadline deadline);

enum class ProcessState {
  kRunning,
  kEnded,
  kReaped,  // Other code has reaped it, or it was not a child of this process.
            // Its status is lost.
};

// Reaps a child if it has ended, and then sets `wait_status` to a status as
// waitpid() has it. Never blocks.
ProcessState Reap(int pidfd, std::optional<int>* wait_status);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PIDFD_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/container_processes.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

namespace external_containerizer {
namespace posix_internal {
namespace {

constexpr absl::Duration kKillTime = absl::Seconds(5);
constexpr int kPauseMs = 100;

}  // namespace

absl::StatusOr<OwnedFd> FindProcess(const LaunchRecord& launch,
                                    const ProcessId& id) {
  if (launch.boot_id != ReadBootId()) return OwnedFd();
  OwnedFd fd = OpenProcess(id);
  if (!fd.valid() && errno != ESRCH) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "cannot look for process ", id.pid, ": ", strerror(errno)));
  }
  return fd;
}

void TellToTerminate(const OwnedFd& supervisor, absl::Duration grace) {
  siginfo_t info = {};
  info.si_signo = SIGTERM;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = geteuid();
  info.si_value.sival_int = static_cast<int>(std::clamp<int64_t>(
      absl::ToInt64Milliseconds(grace), 0, std::numeric_limits<int>::max()));
  syscall(SYS_pidfd_send_signal, supervisor.get(), SIGTERM, &info, 0);
  // Should somebody have stopped it.
  syscall(SYS_pidfd_send_signal, supervisor.get(), SIGCONT, nullptr, 0);
}

std::vector<ProcessStat> Survivors(const LaunchRecord& launch) {
  if (launch.boot_id != ReadBootId()) return {};
  std::vector<ProcessStat> found =
      ProcessesWith(absl::StrCat(kTokenVariable, "=", launch.token));
  found.erase(std::remove_if(found.begin(), found.end(),
                             [](const ProcessStat& process) {
                               return process.state == 'Z';
                             }),
              found.end());
  return found;
}

absl::Status KillSurvivors(const LaunchRecord& launch) {
  const absl::Time deadline = absl::Now() + kKillTime;
  while (true) {
    const std::vector<ProcessStat> survivors = Survivors(launch);
    if (survivors.empty()) return absl::OkStatus();
    if (absl::Now() > deadline) {
      return absl::DeadlineExceededError(absl::StrCat(
          survivors.size(), " of its processes do not die, among them ",
          survivors[0].id.pid));
    }
    for (const ProcessStat& process : survivors) {
      SignalProcess(process.id, SIGKILL);
    }
    const OwnedFd last = OpenProcess(survivors.back().id);
    if (!last.valid()) continue;
    pollfd end = {last.get(), POLLIN, 0};
    poll(&end, 1, kPauseMs);
  }
}

}  // namespace posix_internal
}  // namespace external_containerizer

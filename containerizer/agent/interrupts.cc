// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/interrupts.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <utility>
#include <vector>

namespace external_containerizer {

namespace {

// The signals that end a process by default and that other processes send.
std::vector<int> EndingSignals() {
  std::vector<int> numbers = {SIGHUP,  SIGINT,  SIGQUIT,   SIGUSR1, SIGUSR2,
                              SIGALRM, SIGTERM, SIGSTKFLT, SIGXCPU, SIGVTALRM,
                              SIGPROF, SIGIO,   SIGPWR};
  for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) {
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

absl::StatusOr<Interrupts> Interrupts::Take() {
  sigset_t wanted, before;
  sigemptyset(&wanted);
  for (const int number : EndingSignals()) {
    // nohup and a shell's `&` ignore signals on purpose.
    struct sigaction action;
    if (sigaction(number, nullptr, &action) == 0 &&
        action.sa_handler == SIG_IGN) {
      continue;
    }
    sigaddset(&wanted, number);
  }
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
  pthread_sigmask(SIG_BLOCK, &wanted, &before);
  UniqueFd fd(signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) {
    const int reason = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return FileError("wait for", "signals", reason);
  }
  return Interrupts(std::move(fd), before);
}

Interrupts::Interrupts(UniqueFd fd, const sigset_t& before)
    : fd_(std::move(fd)), before_(before) {}

Interrupts::~Interrupts() {
  if (fd_.valid()) pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int Interrupts::Next() {
  struct signalfd_siginfo info;
  const ssize_t got = read(fd_.get(), &info, sizeof(info));
  return got == static_cast<ssize_t>(sizeof(info))
             ? static_cast<int>(info.ssi_signo)
             : 0;
}

}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The signals that ask a process to end, as something to wait for. Only a main
// function may use this, never a library.
//
//   absl::StatusOr<Interrupts> interrupts = Interrupts::Take();
//   if (!interrupts.ok()) return interrupts.status();
//   struct pollfd ready = {interrupts->fd(), POLLIN, 0};
//   poll(&ready, 1, -1);
//   const int number = interrupts->Next();  // SIGTERM, for example.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_INTERRUPTS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_INTERRUPTS_H_

#include <signal.h>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/files.h"

namespace external_containerizer {

// While an object lives, every signal that would end the process and that
// another process sends (SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGALRM, …)
// arrives at fd() only. Signals that are ignored stay ignored. SIGKILL and the
// signals of faults are left alone.
class Interrupts {
 public:
  // Must be called before the process has a second thread. Also ignores SIGPIPE
  // for the rest of the process's life: write() fails with EPIPE instead.
  static absl::StatusOr<Interrupts> Take();

  Interrupts(Interrupts&&) = default;
  ~Interrupts();

  // Readable when a signal has come.
  int fd() const { return fd_.get(); }

  // Returns the next signal's number; 0 if there is none.
  int Next();

 private:
  Interrupts(UniqueFd fd, const sigset_t& before);

  UniqueFd fd_;
  sigset_t before_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_INTERRUPTS_H_

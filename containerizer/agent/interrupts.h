// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The signals that ask an agent to end, as something to wait for. Belongs to a
// process's main function, never to a library.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_INTERRUPTS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_INTERRUPTS_H_

#include <signal.h>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/files.h"

namespace external_containerizer {

// While it lives, the signals that would end the process from outside (SIGINT,
// SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGALRM, ...; all but SIGKILL and those of
// a fault) are only to be had from fd().
class Interrupts {
 public:
  // To be called before the process has a second thread. Also ignores SIGPIPE,
  // from then on and for good: writing says EPIPE.
  static absl::StatusOr<Interrupts> Take();

  Interrupts(Interrupts&&) = default;
  ~Interrupts();

  // Readable when a signal came.
  int fd() const { return fd_.get(); }

  // The next signal's number; 0 if there is none.
  int Next();

 private:
  Interrupts(UniqueFd fd, const sigset_t& before);

  UniqueFd fd_;
  sigset_t before_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_INTERRUPTS_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// An agent that used fork_exec on this work directory and died may have left
// launch and wait processes. They are ended before a helper is told anything:
// a launch that still runs must not meet the destroy of its container.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_LEFTOVERS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_LEFTOVERS_H_

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/journal.h"
#include "external_containerizer/transport/session_killer.h"

namespace external_containerizer {

// On the loop's thread only.
class ForkExecLeftovers {
 public:
  // Begins to end what is there. A journal that cannot be read, or that is
  // somebody's who lives, is left alone.
  ForkExecLeftovers(EventLoop& loop, const std::string& work_directory);

  // Calls `done` when all have ended, or some did not within 5 s; inside this
  // call if that is so already.
  void WhenDone(absl::AnyInvocable<void() &&> done);

 private:
  std::unique_ptr<Journal> journal_;  // Until all is done.
  absl::AnyInvocable<void() &&> done_;
  SessionKiller killer_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_UNIX_SOCKET_LEFTOVERS_H_

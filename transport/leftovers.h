// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Ends the processes that a dead agent left running, as its journal tells.
//
//   leftovers_ = std::make_unique<Leftovers>(&loop, journal, absl::Seconds(5));
//   leftovers_->WhenDone([this] { Begin(); });

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LEFTOVERS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LEFTOVERS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/journal.h"
#include "external_containerizer/transport/session_killer.h"

namespace external_containerizer {

// On the loop's thread only. Its destructor leaves alone what has not ended.
class Leftovers {
 public:
  // Begins to end the leftovers of `journal` with their sessions; there are
  // none if it is null. Processes that do not end within `patience` stay in the
  // journal, for the next agent.
  Leftovers(EventLoop* loop, std::shared_ptr<Journal> journal,
            absl::Duration patience);

  // Calls `done` when all have ended or were given up: inside this call if that
  // is already true, else from the loop. The reference to the journal is
  // dropped before. Call it once.
  void WhenDone(absl::AnyInvocable<void() &&> done);

 private:
  SessionKiller killer_;
  std::shared_ptr<Journal> journal_;  // Until all is done.
  std::vector<Journal::Leftover> leftovers_;
  size_t alive_ = 0;
  absl::AnyInvocable<void() &&> done_;
};

// Opens the journal that a fork_exec transport left in `work_directory`.
// Returns null if the directory has no journal, or if it cannot be read, or if
// a living transport uses it.
std::shared_ptr<Journal> JournalOfTheDead(const std::string& work_directory);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LEFTOVERS_H_

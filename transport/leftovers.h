// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Ends the processes that a dead agent left running, as its journal tells.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LEFTOVERS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LEFTOVERS_H_

#include "absl/functional/any_invocable.h"
#include "external_containerizer/transport/linux/journal.h"
#include "external_containerizer/transport/session_killer.h"

namespace external_containerizer {

// Takes them from the journal and begins to end them, with their sessions.
// Returns false if there are none. Otherwise `done` is called once, on the loop
// and not inside this call, when each has ended, or the killer has given it up:
// that one stays in the journal, for the next agent. The journal is there until
// then; a killer that is destroyed before never calls `done`.
bool EndLeftovers(Journal& journal, SessionKiller& killer,
                  absl::AnyInvocable<void() &&> done);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LEFTOVERS_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// All processes that this one has started, however far down. A program may hide
// its processes in other sessions and process groups, but not from who adopts
// those whose parent has ended.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_PROCESSES_H_
#define EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_PROCESSES_H_

#include <sys/types.h>

#include <set>

#include "absl/status/status.h"
#include "external_containerizer/transport/linux/clock.h"

namespace external_containerizer {
namespace conformance {

// From now on, descendants whose parent ends become children of this process
// (PR_SET_CHILD_SUBREAPER).
absl::Status AdoptDescendants();

// The descendants that run now. A process that has ended and was not reaped
// is not one of them.
std::set<pid_t> Descendants();

// Kills all descendants with SIGKILL, each by its pidfd, until none is left or
// the deadline passes, and reaps them. No child may be waited for elsewhere.
void KillDescendants(Deadline deadline);

}  // namespace conformance
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_PROCESSES_H_

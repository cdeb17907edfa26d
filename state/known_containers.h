// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What recovery is told of the containers that an agent remembers.

#ifndef EXTERNAL_CONTAINERIZER_STATE_KNOWN_CONTAINERS_H_
#define EXTERNAL_CONTAINERIZER_STATE_KNOWN_CONTAINERS_H_

#include <vector>

#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/state/agent_state.h"
#include "external_containerizer/state/paths.h"

namespace external_containerizer {
namespace state {

// Every run of every executor, for Containerizer::Recover:
//
//   kCompleted        it has its sentinel, or its Termination
//   kRunning          else, if it is its executor's latest run. The link is
//                     what says that a launch was acknowledged (writer.h).
//   kUnacknowledged   else: its launch was recorded and never acknowledged, or,
//                     in a tree of Mesos, a later run replaced it
//
// A file that is missing or damaged (AgentState::problems) does not make a
// container that runs an orphan, except for runs/latest itself.
//
// Sandboxes lie below AgentState::work_dir, which must be absolute, and have no
// owner set. Left out is a run whose id no program could be given; the reader
// lists it. Of runs with the same id, one that runs counts most, and one that
// is completed least. After a reboot the list is the same: who asks for them
// learns that they are gone.
std::vector<KnownContainer> KnownContainers(const AgentState& state);

// One of the above, and where the reader has it. Lives as long as the state.
struct KnownRun {
  RunId id;
  KnownContainer::State state;
  const ExecutorState* executor;
  const RunState* run;
};
std::vector<KnownRun> KnownRuns(const AgentState& state);

// Which of the three one of `executor`'s runs is in.
KnownContainer::State StateOf(const ExecutorState& executor,
                              const RunState& run);

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_KNOWN_CONTAINERS_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The containers that an agent remembers, for recovery.
//
//   absl::StatusOr<AgentState> state = ReadAgentState("/var/lib/my_agent");
//   if (!state.ok()) return state.status();
//   containerizer.Recover(KnownContainers(*state), done);

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
//   kCompleted        It has its sentinel, or its Termination.
//   kRunning          If not, and it is its executor's latest run. The link
//                     says that the launch was acknowledged (writer.h).
//   kUnacknowledged   Every other: its launch was never acknowledged, or, in a
//                     tree of Mesos, a later run has replaced it.
//
// A container that runs does not become an orphan because a file is missing or
// damaged (AgentState::problems), unless that is runs/latest itself.
//
// Sandboxes lie below AgentState::work_dir, which must be absolute, and have no
// owner. A run whose id could be given to no program is left out; the reader
// lists it. If several runs have the same id, the first of kRunning,
// kUnacknowledged and kCompleted counts. A reboot changes nothing here:
// recovery asks the program, and learns that they are gone.
std::vector<KnownContainer> KnownContainers(const AgentState& state);

// One of these containers, and its place in the state, which must outlive it.
struct KnownRun {
  RunId id;
  KnownContainer::State state;
  const ExecutorState* executor;
  const RunState* run;
};
std::vector<KnownRun> KnownRuns(const AgentState& state);

// The state of `run`, which is one of `executor`'s.
KnownContainer::State StateOf(const ExecutorState& executor,
                              const RunState& run);

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_KNOWN_CONTAINERS_H_

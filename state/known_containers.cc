// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/known_containers.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "external_containerizer/containerizer/wire/validate.h"

namespace external_containerizer {
namespace state {

KnownContainer::State StateOf(const ExecutorState& executor,
                              const RunState& run) {
  if (run.completed || run.termination) {
    return KnownContainer::State::kCompleted;
  }
  return executor.latest == run.id ? KnownContainer::State::kRunning
                                   : KnownContainer::State::kUnacknowledged;
}

std::vector<KnownRun> KnownRuns(const AgentState& state) {
  std::vector<KnownRun> known;
  if (!state.slave) return known;
  std::map<std::string, size_t> index;
  for (const FrameworkState& framework : state.slave->frameworks) {
    for (const ExecutorState& executor : framework.executors) {
      for (const RunState& run : executor.runs) {
        if (!wire::ValidateId("container id", run.id).ok()) continue;
        KnownRun found = {{state.slave->id, framework.id, executor.id, run.id},
                          StateOf(executor, run),
                          &executor,
                          &run};
        const auto [at, is_new] = index.emplace(run.id, known.size());
        if (is_new) {
          known.push_back(std::move(found));
        } else if (found.state < known[at->second].state) {
          known[at->second] = std::move(found);
        }
      }
    }
  }
  return known;
}

std::vector<KnownContainer> KnownContainers(const AgentState& state) {
  std::vector<KnownContainer> known;
  for (const KnownRun& run : KnownRuns(state)) {
    Sandbox sandbox;
    sandbox.root = state.work_dir;
    sandbox.path = RunPath(run.id);
    known.push_back({run.id.container, run.state, std::move(sandbox)});
  }
  return known;
}

}  // namespace state
}  // namespace external_containerizer

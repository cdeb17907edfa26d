// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/known_containers.h"

#include <map>
#include <string>
#include <vector>

#include "external_containerizer/containerizer/wire/validate.h"
#include "external_containerizer/state/paths.h"

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

std::vector<KnownContainer> KnownContainers(const AgentState& state) {
  std::vector<KnownContainer> known;
  if (!state.slave) return known;
  std::map<std::string, size_t> index;
  for (const FrameworkState& framework : state.slave->frameworks) {
    for (const ExecutorState& executor : framework.executors) {
      for (const RunState& run : executor.runs) {
        if (!wire::ValidateId("container id", run.id).ok()) continue;
        const KnownContainer::State is = StateOf(executor, run);
        const auto [at, is_new] = index.emplace(run.id, known.size());
        if (is_new) {
          known.emplace_back();
        } else if (known[at->second].state <= is) {
          continue;
        }
        KnownContainer& container = known[at->second];
        container.id = run.id;
        container.state = is;
        Sandbox& sandbox = container.sandbox.emplace();
        sandbox.root = state.work_dir;
        sandbox.path =
            RunPath({state.slave->id, framework.id, executor.id, run.id});
      }
    }
  }
  return known;
}

}  // namespace state
}  // namespace external_containerizer

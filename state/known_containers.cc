// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/known_containers.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "external_containerizer/containerizer/wire/validate.h"
#include "external_containerizer/state/paths.h"

namespace external_containerizer {
namespace state {
namespace {

KnownContainer::State StateOf(const ExecutorState& executor,
                              const RunState& run) {
  if (run.completed || run.termination) {
    return KnownContainer::State::kCompleted;
  }
  return executor.latest == run.id ? KnownContainer::State::kRunning
                                   : KnownContainer::State::kUnacknowledged;
}

}  // namespace

std::vector<KnownContainer> KnownContainers(const AgentState& state) {
  std::vector<KnownContainer> known;
  if (!state.slave) return known;
  // Container ids are unique; a tree that was tampered with need not be.
  std::set<std::string> seen;
  for (const FrameworkState& framework : state.slave->frameworks) {
    for (const ExecutorState& executor : framework.executors) {
      for (const RunState& run : executor.runs) {
        if (!wire::ValidateId("container id", run.id).ok()) continue;
        if (!seen.insert(run.id).second) continue;
        KnownContainer container;
        container.id = run.id;
        container.state = StateOf(executor, run);
        Sandbox& sandbox = container.sandbox.emplace();
        sandbox.root = state.work_dir;
        sandbox.path =
            RunPath({state.slave->id, framework.id, executor.id, run.id});
        known.push_back(std::move(container));
      }
    }
  }
  return known;
}

}  // namespace state
}  // namespace external_containerizer

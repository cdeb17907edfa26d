// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/held_container.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/wire/validate.h"

namespace external_containerizer {
namespace {

constexpr size_t kMostCommandText = 200;

Progress ProgressOf(const state::ExecutorState& executor,
                    const state::RunState& run) {
  Progress progress;
  progress.launch_recorded = true;
  progress.exited = progress.exit_recorded = run.termination.has_value();
  progress.destroyed = progress.completed_recorded = run.completed;
  if (executor.latest == run.id || progress.exited || run.completed) {
    progress.launched = progress.launched_recorded = true;
  } else {
    progress.launch_failed = true;
  }
  return progress;
}

// Which of two runs of one id an agent is to care about: one that runs most,
// one that is done with least.
int Weight(const Progress& progress) {
  if (progress.exited || progress.destroyed) return 0;
  return progress.launch_failed ? 1 : 2;
}

}  // namespace

const char* HeldContainer::StateName() const {
  if (progress.launch_failed || progress.unwanted) return "destroying";
  if (progress.exited) return "exited";
  return progress.launched_recorded ? "running" : "launching";
}

wire::Termination MadeUpEnd(const std::string& message) {
  wire::Termination termination;
  termination.set_killed(false);
  termination.set_message(message);
  termination.set_state(wire::TASK_FAILED);
  termination.add_reasons(wire::TaskStatus::REASON_EXECUTOR_TERMINATED);
  return termination;
}

std::map<ContainerId, std::shared_ptr<HeldContainer>> HeldContainers(
    const state::AgentState& state) {
  std::map<ContainerId, std::shared_ptr<HeldContainer>> held;
  if (!state.slave) return held;
  for (const state::FrameworkState& framework : state.slave->frameworks) {
    for (const state::ExecutorState& executor : framework.executors) {
      for (const state::RunState& run : executor.runs) {
        if (!wire::ValidateId("container id", run.id).ok()) continue;
        if (run.completed && !run.termination) continue;
        const Progress progress = ProgressOf(executor, run);
        std::shared_ptr<HeldContainer>& container = held[run.id];
        if (container != nullptr &&
            Weight(container->progress) >= Weight(progress)) {
          continue;
        }
        container = std::make_shared<HeldContainer>();
        container->run = {state.slave->id, framework.id, executor.id, run.id};
        container->progress = progress;
        container->end = run.termination;
        if (executor.info) {
          container->command = CommandText(executor.info->command());
        }
        if (progress.launch_failed) {
          container->launch_error = absl::AbortedError(
              "the agent before this one ended during its launch");
        }
      }
    }
  }
  return held;
}

std::vector<std::string> ExecutorsWithoutRuns(const state::AgentState& state) {
  std::vector<std::string> ids;
  if (!state.slave) return ids;
  for (const state::FrameworkState& framework : state.slave->frameworks) {
    if (framework.id != kOwnFramework) continue;
    for (const state::ExecutorState& executor : framework.executors) {
      if (executor.runs.empty()) ids.push_back(executor.id);
    }
  }
  return ids;
}

std::vector<std::string> SetAsideDamaged(state::AgentState& state) {
  std::vector<std::string> ids;
  if (!state.slave) return ids;
  std::set<std::string> damaged;
  for (const state::Problem& problem : state.problems) {
    if (problem.kind == state::Problem::Kind::kDamage) {
      damaged.insert(problem.path);
    }
  }
  for (state::FrameworkState& framework : state.slave->frameworks) {
    const auto is_damaged = [&](const state::ExecutorState& executor) {
      const state::RunId id = {state.slave->id, framework.id, executor.id, ""};
      const std::string runs = state::MetaPath(state::RunsPath(id));
      if (damaged.count(state::MetaPath(state::ExecutorPath(id))) > 0 ||
          damaged.count(runs) > 0 ||
          damaged.count(absl::StrCat(runs, "/", state::kLatestLink)) > 0) {
        ids.push_back(executor.id);
        return true;
      }
      return false;
    };
    framework.executors.erase(
        std::remove_if(framework.executors.begin(), framework.executors.end(),
                       is_damaged),
        framework.executors.end());
  }
  return ids;
}

wire::Termination Bounded(wire::Termination end) {
  constexpr size_t kMost = 64 << 10;
  constexpr size_t kMostMessage = 4 << 10;
  constexpr int kMostReasons = 100;
  if (end.ByteSizeLong() <= kMost) return end;
  if (end.message().size() > kMostMessage) {
    end.mutable_message()->resize(kMostMessage);
    end.mutable_message()->append("...");
  }
  if (end.reasons_size() > kMostReasons) {
    end.mutable_reasons()->Truncate(kMostReasons);
  }
  if (end.ByteSizeLong() > kMost) {
    end.GetReflection()->MutableUnknownFields(&end)->Clear();
  }
  return end;
}

std::string CommandText(const wire::CommandInfo& command) {
  std::string text;
  if (command.arguments_size() == 0) text = command.value();
  for (const std::string& argument : command.arguments()) {
    if (text.size() > kMostCommandText) break;
    absl::StrAppend(&text, text.empty() ? "" : " ", argument);
  }
  if (text.size() > kMostCommandText) {
    text.resize(kMostCommandText);
    absl::StrAppend(&text, "...");
  }
  return text;
}

}  // namespace external_containerizer

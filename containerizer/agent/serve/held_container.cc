// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/held_container.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "external_containerizer/state/known_containers.h"

namespace external_containerizer {
namespace {

constexpr size_t kMostCommandBytes = 200;

Progress ProgressOf(const state::KnownRun& known) {
  Progress progress;
  progress.launch_recorded = true;
  progress.exited = progress.exit_recorded = known.run->termination.has_value();
  progress.destroyed = progress.completed_recorded = known.run->completed;
  progress.unwanted = progress.unwanted_recorded = known.run->unwanted;
  if (known.state == KnownContainer::State::kUnacknowledged) {
    progress.launch_failed = true;
  } else {
    progress.launched = progress.launched_recorded = true;
  }
  return progress;
}

}  // namespace

const char* HeldContainer::StateName() const {
  if (progress.launch_failed || progress.unwanted) return "destroying";
  if (progress.exited) return "exited";
  return progress.launched_recorded ? "running" : "launching";
}

absl::Status WithName(const Identity& container, const absl::Status& status) {
  if (status.ok() || container.name == container.id) return status;
  return absl::Status(
      status.code(),
      absl::StrReplaceAll(
          status.message(),
          {{absl::StrCat("container \"", container.id, "\""),
            absl::StrCat("container \"", absl::CHexEscape(container.name),
                         "\"")}}));
}

wire::Termination UnknownEnd(const std::string& message) {
  wire::Termination termination;
  termination.set_killed(false);
  termination.set_message(message);
  termination.set_state(wire::TASK_FAILED);
  termination.add_reasons(wire::TaskStatus::REASON_EXECUTOR_TERMINATED);
  return termination;
}

std::map<std::string, std::shared_ptr<HeldContainer>> HeldContainers(
    const state::AgentState& state) {
  std::map<std::string, std::shared_ptr<HeldContainer>> held;
  for (const state::KnownRun& known : state::KnownRuns(state)) {
    if (known.run->completed && !known.run->termination) continue;
    auto container = std::make_shared<HeldContainer>();
    container->run = known.id;
    container->progress = ProgressOf(known);
    container->end = known.run->termination;
    if (const auto& info = known.executor->info; info.has_value()) {
      container->command = ShortCommand(info->command());
      if (container->IsOwn()) {
        container->resources.assign(info->resources().begin(),
                                    info->resources().end());
      }
    }
    if (container->progress.launch_failed) {
      container->launch_error = absl::AbortedError(
          "the agent before this one ended during its launch");
    }
    container->name =
        container->IsOwn() ? known.id.executor : known.id.container;
    if (held.emplace(container->name, container).second) continue;
    container->name = known.id.container;
    held.emplace(container->name, container);
  }
  return held;
}

absl::StatusOr<Resources> ApplyChange(Resources all,
                                      const ResourceChange& change) {
  const auto remove = [&all](const std::string& name) {
    const auto end = std::remove_if(
        all.begin(), all.end(),
        [&](const wire::Resource& one) { return one.name() == name; });
    const bool found = end != all.end();
    all.erase(end, all.end());
    return found;
  };
  for (const std::string& name : change.removed) {
    if (remove(name)) continue;
    return absl::NotFoundError(absl::StrCat("it has no limit on ",
                                            absl::CHexEscape(name),
                                            " that could be removed"));
  }
  for (const wire::Resource& resource : change.set) remove(resource.name());
  all.insert(all.end(), change.set.begin(), change.set.end());
  return all;
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

wire::Termination ShortEnd(wire::Termination end) {
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

std::vector<std::string> ShortCommand(const wire::CommandInfo& command) {
  std::vector<std::string> words(command.arguments().begin(),
                                 command.arguments().end());
  if (command.shell()) {
    words = {"sh", "-c", command.value()};
  } else if (words.empty()) {
    words = {command.value()};
  }
  size_t left = kMostCommandBytes;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].size() > left) {
      words[i].resize(left);
      words[i] += "...";
      words.resize(i + 1);
    } else {
      left -= words[i].size();
    }
  }
  return words;
}

}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/inspect.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/state/directory.h"
#include "external_containerizer/state/known_containers.h"
#include "external_containerizer/state/paths.h"
#include "external_containerizer/state/read_options.h"
#include "external_containerizer/state/reader.h"
#include "external_containerizer/state/text_files.h"

namespace external_containerizer {
namespace {

constexpr size_t kMostAgents = 10'000;

// Empty if it cannot be read; the reader says why.
std::string BootIdOf(const std::string& work_dir) {
  const absl::StatusOr<state::Directory> root =
      state::Directory::OpenRoot(work_dir);
  if (!root.ok()) return "";
  std::string buffer;
  const auto text = root->Read(state::MetaPath(state::kBootIdFile),
                               state::kMaxTextBytes, buffer);
  return text.ok() && text->has_value() ? state::ParseBootId(**text) : "";
}

// The work directory that `path` is the meta directory of, or lies in that of;
// empty if there is none, or if `path` is a work directory itself.
std::string WorkDirAround(const std::string& path) {
  char buffer[PATH_MAX];
  struct stat info;
  if (stat(absl::StrCat(path, "/meta").c_str(), &info) == 0 ||
      realpath(path.c_str(), buffer) == nullptr) {
    return "";
  }
  const std::string real = absl::StrCat(buffer, "/");
  const size_t meta = real.rfind("/meta/");
  if (meta == std::string::npos || meta == 0) return "";
  const std::string slaves = absl::StrCat(real.substr(0, meta), "/meta/slaves");
  return stat(slaves.c_str(), &info) == 0 ? real.substr(0, meta) : "";
}

// The agents that are there beside the one that `latest` names.
std::vector<std::string> OtherAgents(const state::AgentState& state) {
  std::vector<std::string> others;
  auto place = state::Directory::OpenRoot(state.work_dir);
  if (!place.ok()) return others;
  for (const char* name : {state::kMetaDirectory, state::kAgentsDirectory}) {
    auto below = place->Open(name);
    if (!below.ok() || !below->has_value()) return others;
    *place = **std::move(below);
  }
  const auto entries = place->List(kMostAgents);
  if (!entries.ok()) return others;  // The reader says why.
  for (const state::Directory::Entry& entry : *entries) {
    if (entry.type == state::Directory::Type::kDirectory &&
        !(state.slave && entry.name == state.slave->id)) {
      others.push_back(entry.name);
    }
  }
  return others;
}

std::string StateText(bool is_known, wire::TaskState state) {
  // A value of a later release reads as unset.
  return is_known ? std::string(wire::TaskState_Name(state))
                  : "an unknown state";
}

std::string ValueText(const wire::Resource& resource) {
  std::string text;
  int shown = 0;
  const auto add = [&](absl::string_view item) {
    if (shown < static_cast<int>(kMostResourcesShown)) {
      absl::StrAppend(&text, shown > 0 ? "," : "", item);
    } else if (shown == static_cast<int>(kMostResourcesShown)) {
      text += ",...";
    }
    ++shown;
    return shown <= static_cast<int>(kMostResourcesShown);
  };
  switch (resource.type()) {
    case wire::Value::RANGES:
      for (const auto& range : resource.ranges().range()) {
        if (!add(absl::StrCat(range.begin(), "-", range.end()))) break;
      }
      return absl::StrCat("[", text, "]");
    case wire::Value::SET:
      for (const std::string& item : resource.set().item()) {
        if (!add(item)) break;
      }
      return absl::StrCat("{", text, "}");
    case wire::Value::SCALAR:
    case wire::Value::TEXT:
      break;
  }
  return absl::StrCat(resource.scalar().value());
}

}  // namespace

absl::StatusOr<Inspection> Inspect(const std::string& work_dir) {
  if (const std::string whole = WorkDirAround(work_dir); !whole.empty()) {
    return absl::NotFoundError(absl::StrCat(
        absl::CHexEscape(work_dir), " is a part of the work directory ",
        absl::CHexEscape(whole), ": agent inspect ", absl::CHexEscape(whole)));
  }
  Inspection inspection;
  inspection.boot_id = BootIdOf(work_dir);
  state::ReadOptions options;
  options.strict = false;
  // The tree is to be shown, pids too, whichever machine it is from.
  options.boot_id = inspection.boot_id;
  absl::StatusOr<state::AgentState> state =
      state::ReadAgentState(work_dir, options);
  if (!state.ok()) return state.status();
  inspection.state = *std::move(state);
  inspection.other_agents = OtherAgents(inspection.state);
  const absl::StatusOr<std::string> now = state::CurrentBootId();
  if (!now.ok()) inspection.boot_error = std::string(now.status().message());
  inspection.is_this_boot = now.ok() && *now == inspection.boot_id;
  return inspection;
}

bool IsDamaged(const state::AgentState& state) {
  if (state.further_problems > 0) return true;  // Nobody knows of which kind.
  for (const state::Problem& problem : state.problems) {
    if (problem.kind == state::Problem::Kind::kDamage) return true;
  }
  return false;
}

InspectionCounts CountsOf(const state::AgentState& state) {
  InspectionCounts counts;
  for (const state::Problem& problem : state.problems) {
    ++(problem.kind == state::Problem::Kind::kDamage ? counts.damages
                                                     : counts.notices);
  }
  if (!state.slave) return counts;
  for (const state::FrameworkState& framework : state.slave->frameworks) {
    ++counts.frameworks;
    for (const state::ExecutorState& executor : framework.executors) {
      ++counts.executors;
      for (const state::RunState& run : executor.runs) {
        ++counts.runs;
        counts.tasks += run.tasks.size();
        switch (state::StateOf(executor, run)) {
          case KnownContainer::State::kRunning:
            ++counts.running;
            break;
          case KnownContainer::State::kUnacknowledged:
            ++counts.unacknowledged;
            break;
          case KnownContainer::State::kCompleted:
            ++counts.completed;
            break;
        }
      }
    }
  }
  return counts;
}

absl::string_view RunStateText(const state::ExecutorState& executor,
                               const state::RunState& run) {
  switch (state::StateOf(executor, run)) {
    case KnownContainer::State::kRunning:
      return "running";
    case KnownContainer::State::kUnacknowledged:
      return "unacknowledged";
    case KnownContainer::State::kCompleted:
      break;
  }
  return "completed";
}

std::string UpdateStateText(const wire::StatusUpdate& update) {
  return StateText(update.status().has_state(), update.status().state());
}

std::string LastStateText(const state::TaskState& task) {
  if (!task.updates.empty()) return UpdateStateText(task.updates.back());
  if (!task.info) return "an unknown state";
  return StateText(task.info->has_state(), task.info->state());
}

size_t AcknowledgedOf(const state::TaskState& task) {
  std::set<absl::string_view> acknowledged;
  for (const wire::StatusUpdate& update : task.updates) {
    if (task.acks.count(update.uuid()) > 0) acknowledged.insert(update.uuid());
  }
  return acknowledged.size();
}

std::string ResourceText(const wire::Resource& resource) {
  std::string text = resource.name();
  // The last reservation is the present one.
  const std::string& role =
      resource.reservations().empty()
          ? resource.role()
          : resource.reservations(resource.reservations_size() - 1).role();
  if (!role.empty() && role != "*") absl::StrAppend(&text, "(", role, ")");
  if (resource.disk().has_persistence()) {
    absl::StrAppend(&text, "[", resource.disk().persistence().id(), ":",
                    resource.disk().volume().container_path(), "]");
  }
  return absl::StrCat(text, ":", ValueText(resource));
}

}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/inspect.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/state/directory.h"
#include "external_containerizer/state/paths.h"
#include "external_containerizer/state/read_options.h"
#include "external_containerizer/state/reader.h"
#include "external_containerizer/state/text_files.h"

namespace external_containerizer {
namespace {

constexpr size_t kMostAgents = 10'000;

// Returns the recorded boot id. Empty if it cannot be read: ReadAgentState()
// reports that.
std::string BootIdOf(const std::string& work_dir) {
  const absl::StatusOr<state::Directory> root =
      state::Directory::OpenRoot(work_dir);
  if (!root.ok()) return "";
  std::string buffer;
  const auto text = root->Read(state::MetaPath(state::kBootIdFile),
                               state::kMaxTextBytes, buffer);
  return text.ok() && text->has_value() ? state::ParseBootId(**text) : "";
}

// Returns the work directory whose meta directory `path` is, or lies in. Empty
// if there is none, or if `path` is a work directory itself.
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

// Returns the agents that have a directory, without the one that `latest`
// names.
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
  if (!entries.ok()) return others;  // ReadAgentState() reports that.
  for (const state::Directory::Entry& entry : *entries) {
    if (entry.type == state::Directory::Type::kDirectory &&
        !(state.slave && entry.name == state.slave->id)) {
      others.push_back(entry.name);
    }
  }
  return others;
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
  // With another boot id the reader would leave the pids out.
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
  if (state.further_problems > 0) return true;  // Their kinds are unknown.
  for (const state::Problem& problem : state.problems) {
    if (problem.kind == state::Problem::Kind::kDamage) return true;
  }
  return false;
}

}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What an agent wrote down in its work directory, for people and for programs.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_INSPECT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_INSPECT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/wire/checkpoint.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/state/agent_state.h"

namespace external_containerizer {

struct Inspection {
  // As of the boot in which it was written: pids are there, and `rebooted` is
  // never set.
  state::AgentState state;
  // Directories of agents that are there and that `latest` does not name: they
  // are not read, and nobody takes their containers back.
  std::vector<std::string> other_agents;
  std::string boot_id;  // Of then; empty if that is not known.
  // It is the boot that this process runs in. If not, the machine has been
  // booted since or it is another one's.
  bool is_this_boot = false;
  // Why it is not known in which boot this process runs; empty if it is.
  std::string boot_error;
};

// Reads all that can be read below `work_dir`, which is absolute, and changes
// nothing. An error only if that cannot be done at all (state/reader.h);
// NOT_FOUND, with the right path, for a directory inside a work directory.
absl::StatusOr<Inspection> Inspect(const std::string& work_dir);

// Whether something that was there cannot be read. What a crash leaves behind
// is no damage.
bool IsDamaged(const state::AgentState& state);

// Takes one line, without its end. False: nobody wants more of them.
using LineSink = absl::FunctionRef<bool(absl::string_view line)>;

// Everything, one line after another, as they are made: a tree that is indented
// for people, or JSON objects. All foreign text is escaped.
void InspectAsText(const Inspection& inspection, LineSink sink);
void InspectAsJson(const Inspection& inspection, LineSink sink);

// The rest is what the two have in common.

struct InspectionCounts {
  uint64_t frameworks = 0, executors = 0, runs = 0, tasks = 0;
  uint64_t running = 0, unacknowledged = 0, completed = 0;
  uint64_t damages = 0, notices = 0;
};

InspectionCounts CountsOf(const state::AgentState& state);

// "running", "unacknowledged" or "completed", as recovery would decide.
absl::string_view RunStateText(const state::ExecutorState& executor,
                               const state::RunState& run);

// What the last update says of a task, or else what it was accepted with:
// "TASK_RUNNING", or "an unknown state".
std::string LastStateText(const state::TaskState& task);
std::string UpdateStateText(const wire::StatusUpdate& update);

// How many updates are acknowledged, each one once.
size_t AcknowledgedOf(const state::TaskState& task);

// "cpus:0.5; mem(web):64; ports:[31000-32000]", the first hundred or so of
// them; empty if there are none. Not escaped.
template <typename Resources>
std::string ResourcesText(const Resources& resources);
std::string ResourceText(const wire::Resource& resource);

inline constexpr size_t kMostResourcesShown = 100;

template <typename Resources>
std::string ResourcesText(const Resources& resources) {
  std::string text;
  size_t shown = 0;
  for (const wire::Resource& resource : resources) {
    if (shown == kMostResourcesShown) return text + "; ...";
    if (shown++ > 0) text += "; ";
    text += ResourceText(resource);
  }
  return text;
}

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_INSPECT_H_

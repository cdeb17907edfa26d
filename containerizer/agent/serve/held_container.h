// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A container as a standing agent holds it, and how the records of an earlier
// agent become such containers.
//
//   for (auto& [name, held] : HeldContainers(state)) Advance(held);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_HELD_CONTAINER_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_HELD_CONTAINER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/serve/next_step.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/containerizer.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/state/agent_state.h"
#include "external_containerizer/state/paths.h"

namespace external_containerizer {

// The framework of all containers that this agent launches. Each of its
// executors has one run, and the executor's id is the container's name.
inline constexpr char kOwnFramework[] = "agent";

// A container's name, which users choose, and its id, which the program knows.
// A name may be used again when its container is destroyed; an id never is.
struct Identity {
  std::string name;
  ContainerId id;
};

// A change of limits. Limits that it does not name stay as they are.
struct ResourceChange {
  Resources set;
  std::vector<std::string> removed;  // Names; removed before `set` is applied.
};

struct HeldContainer {
  std::string name;
  state::RunId run;
  Progress progress;
  bool retry_wait = false;  // `wait` failed; a timer is set to repeat it.
  std::vector<std::string> command;        // ShortCommand()
  std::shared_ptr<LaunchRequest> request;  // nullptr after the launch.
  absl::Status launch_error;
  int launch_exit = 0;  // The exit code of the program's `launch`.
  std::optional<wire::Termination> end;
  std::string problem;  // Why an operator is needed; empty if none is.
  std::string trouble;  // A failure that is being retried; empty if none is.

  Resources resources;  // The limits, as far as this agent knows them.
  // The callers of the update that is under way, and the updates after it.
  std::vector<DoneStatus> updating;
  std::vector<std::pair<ResourceChange, DoneStatus>> updates;

  std::vector<Done<Identity>> launchers;  // At most one.
  // The key is the number that Wait() returned.
  std::map<uint64_t, Done<wire::Termination>> waiters;
  std::vector<Done<wire::Termination>> destroyers;

  bool IsOwn() const { return run.framework == kOwnFramework; }
  const ContainerId& id() const { return run.container; }
  Identity identity() const { return {name, run.container}; }
  const char* StateName() const;
};

// Calls every one of `callers` with `answer`, and forgets them.
template <typename T>
void Tell(std::vector<Done<T>>& callers, const absl::StatusOr<T>& answer) {
  for (Done<T>& done : std::exchange(callers, {})) std::move(done)(answer);
}

template <typename T>
void Tell(std::map<uint64_t, Done<T>>& callers,
          const absl::StatusOr<T>& answer) {
  for (auto& [number, done] : std::exchange(callers, {})) {
    std::move(done)(answer);
  }
}

// Returns `status` with the container's name where its message quotes the id.
absl::Status WithName(const Identity& container, const absl::Status& status);

// Returns the end of a container whose end the program did not tell.
wire::Termination UnknownEnd(const std::string& message);

// Returns the runs that state::KnownRuns() finds, by their containers' names,
// with the progress of each. Completed runs without a recorded end are left
// out. The name of a container that Mesos launched is its id.
std::map<std::string, std::shared_ptr<HeldContainer>> HeldContainers(
    const state::AgentState& state);

// Returns `all` after `change`. NOT_FOUND if a limit that is to be removed is
// not in `all`.
absl::StatusOr<Resources> ApplyChange(Resources all,
                                      const ResourceChange& change);

// Returns the ids of executors of kOwnFramework that have no run: their agent
// was killed while it recorded a launch.
std::vector<std::string> ExecutorsWithoutRuns(const state::AgentState& state);

// Removes executors from `state` whose runs, or whose latest run, cannot be
// read: they are neither taken back nor destroyed. Returns their ids.
std::vector<std::string> SetAsideDamaged(state::AgentState& state);

// Returns `end` with its message, reasons and unknown fields cut to a bounded
// size.
wire::Termination ShortEnd(wire::Termination end);

// Returns the arguments that `command` executes, cut off after 200 bytes.
std::vector<std::string> ShortCommand(const wire::CommandInfo& command);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_HELD_CONTAINER_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What a standing agent holds of one container.

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

// The framework that the containers of `agent launch` belong to. An executor
// of it has one run; the executor's id is the container's name.
inline constexpr char kOwnFramework[] = "agent";

// A container's name, which users choose, and its id, which the program is
// given. A name may come again; an id does not.
struct Identity {
  std::string name;
  ContainerId id;
};

struct HeldContainer {
  std::string name;
  state::RunId run;
  Progress progress;
  bool retry_wait = false;  // Asking how it ends failed; a timer is set.
  std::vector<std::string> command;        // BoundedCommand()
  std::shared_ptr<LaunchRequest> request;  // Until it is launched.
  absl::Status launch_error;
  std::optional<wire::Termination> end;
  std::string problem;  // Needs an operator; may be empty.
  std::string trouble;  // A failure that is tried again; may be empty.

  Resources resources;  // Its limits, as far as this agent knows them.
  // Callers of the update that is under way, and updates that wait for it.
  std::vector<DoneStatus> updating;
  std::vector<std::pair<Resources, DoneStatus>> updates;

  std::vector<Done<Identity>> launchers;  // At most one.
  // By the numbers that Wait() gave them.
  std::map<uint64_t, Done<wire::Termination>> waiters;
  std::vector<Done<wire::Termination>> destroyers;

  bool IsOwn() const { return run.framework == kOwnFramework; }
  const ContainerId& id() const { return run.container; }
  Identity identity() const { return {name, run.container}; }
  const char* StateName() const;
};

// Tells all of `callers`, once.
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

// `status` with the container's name in place of the id, where errors quote it.
absl::Status Named(const Identity& container, const absl::Status& status);

// How a container ended of which the program did not say it.
wire::Termination MadeUpEnd(const std::string& message);

// The runs that state::KnownRuns() finds, by their containers' names, with what
// is left to do for each. Left out are those that are done with and have left
// no word of how they ended. A container that Mesos launched is called by its
// id.
std::map<std::string, std::shared_ptr<HeldContainer>> HeldContainers(
    const state::AgentState& state);

// `all`, with each resource that `part` names as `part` has it.
Resources Merge(Resources all, const Resources& part);

// Those of kOwnFramework that an agent left which was killed as it began to
// record a launch.
std::vector<std::string> ExecutorsWithoutRuns(const state::AgentState& state);

// Takes executors out of `state` of which it cannot be known which runs they
// have or which is the latest: they are neither taken back nor destroyed.
// Returns their ids.
std::vector<std::string> SetAsideDamaged(state::AgentState& state);

// `end`, with no more in it than is of use to somebody who asks.
wire::Termination Bounded(wire::Termination end);

// What `command` executes, argument by argument, cut off after 200 bytes.
std::vector<std::string> BoundedCommand(const wire::CommandInfo& command);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_HELD_CONTAINER_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/simulation/worlds.h"

#include <optional>

namespace external_containerizer {
namespace {

using State = KnownContainer::State;

// Every kind of timer has a duration of its own.
LifecycleOptions Small(size_t max_commands, size_t max_waits) {
  LifecycleOptions options;
  options.max_commands = max_commands;
  options.max_waits = max_waits;
  options.max_calls_per_container = 3;
  options.max_containers = 3;
  options.max_ended = 1;
  options.max_orphans_at_once = 1;
  options.max_attempts = 2;
  options.max_wait_attempts = 2;
  options.launch_grace = absl::Seconds(5);
  options.wait_grace = absl::Seconds(3);
  options.unlisted_grace = absl::Seconds(2);
  options.unknown_grace = absl::Seconds(50);
  options.wait_stable = absl::Seconds(60);
  options.retry_delay = absl::Milliseconds(100);
  return options;
}

std::vector<WorldOptions> MakeWorlds() {
  std::vector<WorldOptions> worlds;

  WorldOptions one;
  one.name = "one name, one call at a time";
  one.names = 1;
  one.max_calls = 1;
  one.lifecycle = Small(2, 2);
  worlds.push_back(one);

  one.name = "one name, three calls at a time";
  one.max_calls = 3;
  worlds.push_back(one);

  WorldOptions two;
  two.name = "two names";
  two.names = 2;
  two.max_calls = 3;
  two.lists = true;
  two.lifecycle = Small(1, 2);
  worlds.push_back(two);

  two.name = "an agent that starts again";
  two.max_calls = 2;
  two.lists = false;
  two.known = {{"a", State::kUnacknowledged, std::nullopt},
               {"b", State::kUnacknowledged, std::nullopt}};
  worlds.push_back(two);
  two.name = "an agent that starts again, beside what runs";
  two.known[0].state = State::kRunning;
  two.known[1].state = State::kCompleted;
  worlds.push_back(two);

  WorldOptions three;
  three.name = "three names, good and bad programs";
  three.names = 3;
  three.max_calls = 4;
  three.all_answers = false;
  three.crashes = false;
  three.lifecycle = Small(1, 1);
  worlds.push_back(three);
  return worlds;
}

}  // namespace

const std::vector<WorldOptions>& Worlds() {
  static const auto& worlds = *new std::vector<WorldOptions>(MakeWorlds());
  return worlds;
}

}  // namespace external_containerizer

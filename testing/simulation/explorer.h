// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Goes breadth-first through everything that can happen in a small world: every
// order of every event, until nothing new is found or the bound is reached. So
// the way to a broken rule is a shortest one.
//
//   Exploration result = Explore(world, /*max_states=*/8000);
//   EXPECT_EQ(result.broken, "") << result.test;

#ifndef EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_EXPLORER_H_
#define EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_EXPLORER_H_

#include <cstdint>
#include <string>

#include "external_containerizer/testing/simulation/world.h"

namespace external_containerizer {

struct Exploration {
  uint64_t states = 0;       // Different ones.
  uint64_t transitions = 0;  // Events that were tried.
  int depth = 0;             // Events from the beginning to the last state.
  bool complete = false;     // There are no other states.
  std::string broken;        // The rule of the contract; empty: none.
  std::string test;          // A shortest way to break it, to be pasted.

  // "one name: 1234 states, …", one line.
  std::string Summary(const WorldOptions& world) const;
};

// Ends at the first rule that is broken. Two states count as the same if their
// 64-bit hashes are equal.
Exploration Explore(const WorldOptions& world, uint64_t max_states);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_EXPLORER_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Breadth-first through all that can happen in a small world: every order of
// every event, until nothing new is found or the bound is reached. The way to
// a broken rule is a shortest one.

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

// Ends at the first rule that is broken. Two states are taken for the same if
// a 64-bit hash of them is.
Exploration Explore(const WorldOptions& world, uint64_t max_states);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_EXPLORER_H_

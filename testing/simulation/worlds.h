// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The small worlds that are explored.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_WORLDS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_WORLDS_H_

#include <vector>

#include "external_containerizer/testing/simulation/world.h"

namespace external_containerizer {

// One to three names of containers that come again and again, all commands,
// all ways to end for them, agents that die and start again, and bounds that
// are reached.
const std::vector<WorldOptions>& Worlds();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_WORLDS_H_

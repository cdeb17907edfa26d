// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Walks through everything that can happen to one container of a standing
// agent: each step succeeds or fails, the container ends, somebody destroys it,
// and the agent is killed at any moment, also between the moment at which a
// step has its effect and the moment at which the agent learns of it.
//
//   EXPECT_EQ(WalkThroughSteps(NextStep).broken, "");

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_NEXT_STEP_WALK_TESTING_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_NEXT_STEP_WALK_TESTING_H_

#include <cstddef>
#include <string>

#include "absl/functional/function_ref.h"
#include "external_containerizer/containerizer/agent/serve/next_step.h"

namespace external_containerizer {

struct StepWalk {
  size_t states = 0;
  size_t quiet = 0;    // The states in which nothing is under way.
  std::string broken;  // The first promise that is broken; empty if none is.
  std::string path;    // The events that lead to it, a shortest path.
};

// `next_step` is NextStep() or a faulty copy of it.
StepWalk WalkThroughSteps(
    absl::FunctionRef<AgentStep(const Progress&)> next_step);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_NEXT_STEP_WALK_TESTING_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Proves the proof: the walk of next_step_test finds each plausible fault of
// NextStep().

#include <cstdio>
#include <string>

#include "external_containerizer/containerizer/agent/serve/next_step.h"
#include "external_containerizer/containerizer/agent/serve/next_step_walk_testing.h"
#include "external_containerizer/testing/simulation/mutants.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace faulty {

// The function in the copy that make_mutants.py made.
AgentStep NextStep(const Progress& progress);

}  // namespace faulty

namespace {

TEST(NextStepMutantsTest, TheCopyWithoutAFaultBreaksNoPromise) {
  active_mutant = 0;
  const StepWalk walk = WalkThroughSteps(faulty::NextStep);
  EXPECT_EQ(walk.broken, "") << walk.path;
}

TEST(NextStepMutantsTest, EachFaultBreaksThePromiseThatIsListed) {
  EXPECT_GE(Mutants().size(), 10u);
  for (size_t i = 0; i < Mutants().size(); ++i) {
    active_mutant = static_cast<int>(i) + 1;
    const StepWalk walk = WalkThroughSteps(faulty::NextStep);
    printf("%2d. %s\n      -> %s (%s)\n", active_mutant,
           Mutants()[i].fault.c_str(), walk.broken.c_str(), walk.path.c_str());
    EXPECT_EQ(walk.broken, Mutants()[i].promise) << Mutants()[i].fault;
  }
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Lifecycle keeps its contract in every order of events in small worlds. With
// --config=deep: in many more of them.

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "external_containerizer/testing/simulation/explorer.h"
#include "external_containerizer/testing/simulation/worlds.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

// The bound for each world.
uint64_t MaxStates() {
  uint64_t states = 8000;
  const char* deep = getenv("EXPLORE_STATES");
  if (deep != nullptr) {
    EXPECT_TRUE(absl::SimpleAtoi(deep, &states)) << deep;
  }
  return states;
}

class ExplorationTest : public ::testing::TestWithParam<WorldOptions> {};

TEST_P(ExplorationTest, TheContractIsKeptInEveryOrderOfEvents) {
  const Exploration result = Explore(GetParam(), MaxStates());
  printf("%s\n", result.Summary(GetParam()).c_str());
  EXPECT_EQ(result.broken, "")
      << "With the options of \"" << GetParam().name << "\":\n"
      << result.test;
}

INSTANTIATE_TEST_SUITE_P(All, ExplorationTest, ::testing::ValuesIn(Worlds()));

}  // namespace
}  // namespace external_containerizer

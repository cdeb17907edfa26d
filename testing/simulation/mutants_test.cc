// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Proves the proof: each plausible fault of Lifecycle breaks a rule of the
// contract within a small bound.

#include "external_containerizer/testing/simulation/mutants.h"

#include <cstdint>
#include <cstdio>
#include <string>

#include "external_containerizer/testing/simulation/explorer.h"
#include "external_containerizer/testing/simulation/worlds.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

constexpr uint64_t kMaxStates = 5000;

Exploration ExploreAll() {
  Exploration result;
  for (const WorldOptions& world : Worlds()) {
    result = Explore(world, kMaxStates);
    if (!result.broken.empty()) break;
  }
  return result;
}

TEST(MutantsTest, LifecycleAsItIsBreaksNoRule) {
  active_mutant = 0;
  const Exploration result = ExploreAll();
  EXPECT_EQ(result.broken, "") << result.test;
}

TEST(MutantsTest, EachFaultBreaksARule) {
  for (size_t i = 0; i < Mutants().size(); ++i) {
    active_mutant = static_cast<int>(i) + 1;
    const Exploration result = ExploreAll();
    const std::string& fault = Mutants()[i].fault;
    printf("%2d. %s\n      -> %s (%d events)\n", active_mutant, fault.c_str(),
           result.broken.c_str(), result.depth);
    EXPECT_NE(result.broken, "") << fault;
  }
}

}  // namespace
}  // namespace external_containerizer

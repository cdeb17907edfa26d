// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/container.h"

#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

TEST(ContainerTest, StatesAndPoliciesHaveTheNamesThatOperatorsRead) {
  EXPECT_EQ(ContainerStateName(ContainerState::kLaunching), "launching");
  EXPECT_EQ(ContainerStateName(ContainerState::kRunning), "running");
  EXPECT_EQ(ContainerStateName(ContainerState::kEnded), "ended");
  EXPECT_EQ(ContainerStateName(ContainerState::kDestroying), "destroying");
  EXPECT_EQ(ContainerStateName(ContainerState::kGone), "gone");
  EXPECT_EQ(OrphanPolicyName(OrphanPolicy::kOwn), "own");
  EXPECT_EQ(OrphanPolicyName(OrphanPolicy::kAll), "all");
  EXPECT_EQ(OrphanPolicyName(OrphanPolicy::kReport), "report");
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/next_step.h"

#include "external_containerizer/containerizer/agent/serve/next_step_walk_testing.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

TEST(NextStepTest, WhateverHappensNothingIsLostOrDoneTwice) {
  const StepWalk walk = WalkThroughSteps(NextStep);
  EXPECT_EQ(walk.broken, "") << walk.path;
  EXPECT_GT(walk.states, 500u);
  EXPECT_GT(walk.quiet, 20u);
}

TEST(NextStepTest, ALaunchIsRecordedThenDoneThenRecordedAsDone) {
  Progress progress;
  EXPECT_EQ(NextStep(progress), AgentStep::kRecordLaunch);
  progress.launch_recorded = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kLaunch);
  progress.launched = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kRecordLaunched);
  progress.launched_recorded = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kWait);
}

TEST(NextStepTest, AnExitIsRecordedBeforeItIsAcknowledged) {
  Progress progress;
  progress.launch_recorded = progress.launched = progress.launched_recorded =
      progress.waiting = progress.exited = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kRecordExit);
  progress.exit_record_failed = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kNone);
  progress.exit_record_failed = false;
  progress.exit_recorded = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kDestroy);
  progress.destroyed = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kRecordCompleted);
  progress.completed_recorded = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kNone);
}

TEST(NextStepTest, AFullDiskDoesNotKeepSomebodyFromDestroying) {
  Progress progress;
  progress.launch_recorded = progress.launched = progress.launched_recorded =
      progress.waiting = progress.exited = progress.exit_record_failed = true;
  progress.unwanted = progress.unwanted_recorded = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kDestroy);
}

TEST(NextStepTest, ThatSomebodyWantsItDestroyedIsRecordedBeforeItIs) {
  Progress progress;
  progress.launch_recorded = progress.launched = progress.launched_recorded =
      progress.waiting = progress.unwanted = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kRecordUnwanted);
  progress.unwanted_recorded = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kDestroy);
}

TEST(NextStepTest, AFailedLaunchIsDestroyedAndForgotten) {
  Progress progress;
  progress.launch_recorded = progress.launch_failed = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kDestroy);
  progress.destroyed = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kForget);
}

TEST(NextStepTest, DestroyOvertakesALaunchThatIsUnderWay) {
  Progress progress;
  progress.launch_recorded = progress.launching = progress.unwanted = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kDestroy);
  progress.destroyed = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kNone) << "the launch may still end";
  progress.launching = false;
  EXPECT_EQ(NextStep(progress), AgentStep::kForget);
}

}  // namespace
}  // namespace external_containerizer

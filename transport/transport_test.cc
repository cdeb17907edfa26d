// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/transport.h"

#include <string>

#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

TEST(CommandTest, NamesAreTheProgramsArguments) {
  EXPECT_EQ(CommandName(Command::kLaunch), "launch");
  EXPECT_EQ(CommandName(Command::kUpdate), "update");
  EXPECT_EQ(CommandName(Command::kUsage), "usage");
  EXPECT_EQ(CommandName(Command::kWait), "wait");
  EXPECT_EQ(CommandName(Command::kDestroy), "destroy");
  EXPECT_EQ(CommandName(Command::kContainers), "containers");
  EXPECT_EQ(CommandName(Command::kRecover), "recover");
}

TEST(CommandTest, UsageWaitAndContainersHaveAResultAndNoOther) {
  EXPECT_TRUE(HasResult(Command::kUsage));
  EXPECT_TRUE(HasResult(Command::kWait));
  EXPECT_TRUE(HasResult(Command::kContainers));
  EXPECT_FALSE(HasResult(Command::kLaunch));
  EXPECT_FALSE(HasResult(Command::kUpdate));
  EXPECT_FALSE(HasResult(Command::kDestroy));
  EXPECT_FALSE(HasResult(Command::kRecover));
  EXPECT_TRUE(EndsWithItsCaller(Command::kRecover));
  EXPECT_TRUE(EndsWithItsCaller(Command::kWait));
  EXPECT_FALSE(EndsWithItsCaller(Command::kDestroy));
}

TEST(SandboxTest, FullPathIsBelowTheRoot) {
  Sandbox sandbox;
  sandbox.root = "/var/lib/agent";
  sandbox.path = "run/a";
  EXPECT_EQ(sandbox.FullPath(), "/var/lib/agent/run/a");
}

}  // namespace
}  // namespace external_containerizer

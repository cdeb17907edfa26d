// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/program_setup.h"

#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Not;

TEST(ProgramSetupTest, WhatIsInheritedIsAddedToTheUsualFew) {
  ProgramSetup setup;
  EXPECT_EQ(TransportOptionsFor(setup, "/w").inherit, std::nullopt);
  setup.inherit = {"AWS_*", "KUBECONFIG"};
  const TransportOptions options = TransportOptionsFor(setup, "/w");
  ASSERT_TRUE(options.inherit.has_value());
  EXPECT_THAT(*options.inherit,
              AllOf(Contains("PATH"), Contains("AWS_*"), Contains("KUBECONFIG"),
                    Not(Contains("*"))));
}

TEST(ProgramSetupTest, TheContainerizerKnowsHowToReadTheProgramsExits) {
  ProgramSetup setup;
  setup.exits = wire::ExitConvention::kExitCode;
  const Options options = ContainerizerOptionsFor(setup, "/w");
  EXPECT_EQ(options.exits, wire::ExitConvention::kExitCode);
  EXPECT_EQ(options.environment.work_directory, "/w");
}

TEST(ProgramSetupTest, TheSandboxStaysTheAgentsUnlessItsUserIsAnother) {
  for (const std::string& user :
       {std::string("no-such-user"), absl::StrCat(geteuid()), std::string()}) {
    EXPECT_EQ(SandboxOwner(user), std::nullopt) << user;
  }
}

}  // namespace
}  // namespace external_containerizer

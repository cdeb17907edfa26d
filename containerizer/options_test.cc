// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/options.h"

#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;

TEST(OptionsTest, TheDefaultsAreValid) {
  EXPECT_THAT(Validate(Options()), IsOk());
}

TEST(OptionsTest, ABoundOfZeroIsRefusedByName) {
  Options options;
  options.lifecycle.max_commands = 0;
  EXPECT_THAT(Validate(options), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("max_commands")));
  options = Options();
  options.lifecycle.max_wait_attempts = -1;
  EXPECT_THAT(Validate(options), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("max_wait_attempts")));
}

TEST(OptionsTest, ANegativeTimeIsRefusedByName) {
  Options options;
  options.timeouts.usage = absl::Seconds(-1);
  EXPECT_THAT(Validate(options), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("timeouts.usage")));
}

TEST(OptionsTest, OnlyWaitMayTakeForEver) {
  const Timeouts timeouts;
  for (const Command command :
       {Command::kLaunch, Command::kUpdate, Command::kUsage, Command::kDestroy,
        Command::kContainers, Command::kRecover}) {
    EXPECT_LT(timeouts.Of(command), absl::InfiniteDuration());
  }
  EXPECT_EQ(timeouts.Of(Command::kWait), absl::InfiniteDuration());
}

}  // namespace
}  // namespace external_containerizer

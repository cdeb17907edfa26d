// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/serve_command.h"

#include <string>
#include <vector>

#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<ServeOptions> Parse(std::vector<std::string> arguments) {
  Surroundings surroundings;
  surroundings.directory = "/home/me";
  surroundings.environment["HOME"] = "/usr";
  arguments.insert(arguments.begin(), "--containerizer_path=/opt/program");
  const absl::StatusOr<Call> call =
      ParseCall(ServeSubcommand(), surroundings, arguments);
  if (!call.ok()) return call.status();
  return ServeOptionsOf(*call);
}

TEST(ServeCommandTest, DefaultsTakeBackWhatIsOwn) {
  const auto options = Parse({});
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->program.command_line, "/opt/program");
  EXPECT_EQ(options->work_dir, "/usr/.local/state/external_containerizer");
  EXPECT_FALSE(options->cleanup);
  EXPECT_FALSE(options->lenient);
  EXPECT_EQ(options->orphans, OrphanPolicy::kOwn);
}

TEST(ServeCommandTest, FlagsSayOtherwise) {
  const auto options = Parse({"--work_dir=w", "--recover=cleanup",
                              "--orphans=report", "--lenient", "-v"});
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->work_dir, "/home/me/w");
  EXPECT_TRUE(options->cleanup);
  EXPECT_TRUE(options->lenient);
  EXPECT_TRUE(options->verbose);
  EXPECT_EQ(options->orphans, OrphanPolicy::kReport);
  EXPECT_EQ(Parse({"--orphans=all"})->orphans, OrphanPolicy::kAll);
}

TEST(ServeCommandTest, WhatMakesNoSenseIsSaid) {
  EXPECT_THAT(Parse({"--recover=clean"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("reconnect or cleanup")));
  EXPECT_THAT(Parse({"--orphans=none"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("own, all or report")));
  EXPECT_THAT(Parse({"now"}), StatusIs(absl::StatusCode::kInvalidArgument,
                                       HasSubstr("\"now\"")));
  EXPECT_THAT(Parse({"--work_dir="}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("--work_dir is empty")));
}

TEST(ServeCommandTest, HelpNamesEveryFlag) {
  for (const char* flag : {"--work_dir", "--containerizer_path", "--recover",
                           "--orphans", "--lenient", "--verbose"}) {
    EXPECT_THAT(HelpOf(ServeSubcommand()), HasSubstr(flag));
  }
}

}  // namespace
}  // namespace external_containerizer

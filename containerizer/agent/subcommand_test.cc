// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/subcommand.h"

#include <string>
#include <vector>

#include "external_containerizer/containerizer/agent/standard_output.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string>& Seen() {
  static auto& seen = *new std::vector<std::string>;
  return seen;
}

int Dance(const Surroundings& surroundings,
          const std::vector<std::string>& arguments) {
  Seen() = arguments;
  Seen().push_back(surroundings.directory);
  return 7;
}

// The exit status; what was printed is in `out` and `err`.
int Agent(const std::vector<std::string>& arguments, std::string* out,
          std::string* err) {
  Surroundings surroundings;
  surroundings.directory = "/here";
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const int status =
      Dispatch({{"dance", "Dances.", Dance}}, surroundings, arguments);
  *out = ::testing::internal::GetCapturedStdout();
  *err = ::testing::internal::GetCapturedStderr();
  return status;
}

TEST(SubcommandTest, GetsItsArgumentsAndGivesTheStatus) {
  std::string out, err;
  EXPECT_EQ(Agent({"dance", "--fast", "--", "x"}, &out, &err), 7);
  EXPECT_THAT(Seen(), ElementsAre("--fast", "--", "x", "/here"));
}

TEST(SubcommandTest, HelpListsThem) {
  for (const char* help : {"--help", "-h", "help"}) {
    std::string out, err;
    EXPECT_EQ(Agent({help}, &out, &err), 0);
    EXPECT_THAT(out, HasSubstr("  dance  Dances.\n"));
    EXPECT_EQ(err, "");
  }
}

TEST(SubcommandTest, HelpOnOneIsItsOwn) {
  std::string out, err;
  EXPECT_EQ(Agent({"help", "dance"}, &out, &err), 7);
  EXPECT_THAT(Seen(), ElementsAre("--help", "/here"));
}

TEST(SubcommandTest, WithoutOneHelpIsAnErrorOnStderr) {
  std::string out, err;
  EXPECT_EQ(Agent({}, &out, &err), kAgentFailed);
  EXPECT_EQ(out, "");
  EXPECT_THAT(err, HasSubstr("Usage: agent COMMAND"));
}

TEST(SubcommandTest, UnknownOneNamesTheNearest) {
  std::string out, err;
  EXPECT_EQ(Agent({"dnace"}, &out, &err), kAgentFailed);
  EXPECT_EQ(out, "");
  EXPECT_EQ(err,
            "agent: there is no command dnace; did you mean dance?\n"
            "Try: agent --help\n");
  EXPECT_EQ(Agent({"\x1b[31m"}, &out, &err), kAgentFailed);
  EXPECT_THAT(err, HasSubstr("no command \\x1b[31m\n"));
}

}  // namespace
}  // namespace external_containerizer

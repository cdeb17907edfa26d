// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/subcommand.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string>& Seen() {
  static auto& seen = *new std::vector<std::string>;
  return seen;
}

absl::StatusOr<int> Dance(const Call& call) {
  Seen() = call.arguments();
  Seen().push_back(call.surroundings.directory);
  if (call.flags.On("fast")) Seen().push_back("fast");
  if (call.flags.Value("to", "") == "nothing") {
    return absl::InvalidArgumentError("nobody dances to nothing");
  }
  return 7;
}

Subcommand DanceSubcommand() {
  Subcommand dance = {"dance", "Dances."};
  dance.usage = "CONTAINER";
  dance.description = "Dances until it is tired.\n";
  dance.flags = {{"fast", "", "Twice."}, {"to", "MUSIC", "With it."}};
  dance.notes = "Exit status: 7.\n";
  dance.min_arguments = dance.max_arguments = 1;
  dance.run = Dance;
  return dance;
}

Subcommand PerformSubcommand() {
  Subcommand perform = DanceSubcommand();
  perform.name = "perform";
  perform.min_arguments = 0;
  perform.max_arguments = Subcommand::kCommand;
  return perform;
}

int Agent(const std::vector<std::string>& arguments, std::string* out,
          std::string* err) {
  Surroundings surroundings;
  surroundings.directory = "/here";
  Seen().clear();
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  const int status = Dispatch({DanceSubcommand(), PerformSubcommand()},
                              surroundings, arguments);
  *out = ::testing::internal::GetCapturedStdout();
  *err = ::testing::internal::GetCapturedStderr();
  return status;
}

TEST(SubcommandTest, GetsItsArgumentsAndGivesTheStatus) {
  std::string out, err;
  EXPECT_EQ(Agent({"dance", "--fast", "--", "-x"}, &out, &err), 7);
  EXPECT_THAT(Seen(), ElementsAre("-x", "/here", "fast"));
}

TEST(SubcommandTest, FlagsMayStandBehindTheArguments) {
  std::string out, err;
  EXPECT_EQ(Agent({"dance", "one", "--fast"}, &out, &err), 7);
  EXPECT_THAT(Seen(), ElementsAre("one", "/here", "fast"));
  EXPECT_EQ(Agent({"dance", "one", "--to", "jazz", "--fast"}, &out, &err), 7);
  EXPECT_THAT(Seen(), ElementsAre("one", "/here", "fast"));
  EXPECT_EQ(Agent({"dance", "one", "--to"}, &out, &err), kAgentFailed);
  EXPECT_THAT(err, HasSubstr("--to needs a value"));
}

TEST(SubcommandTest, FlagsOfACommandAreItsOwn) {
  std::string out, err;
  EXPECT_EQ(Agent({"perform", "ls", "--fast", "--", "--to"}, &out, &err), 7);
  EXPECT_THAT(Seen(), ElementsAre("ls", "--fast", "--", "--to", "/here"));
  EXPECT_EQ(Agent({"perform", "--", "ls"}, &out, &err), 7);
  EXPECT_THAT(Seen(), ElementsAre("ls", "/here"));
}

TEST(SubcommandTest, WhatMakesNoSenseIsNotActedOn) {
  std::string out, err;
  EXPECT_EQ(Agent({"dance"}, &out, &err), kAgentFailed);
  EXPECT_EQ(err,
            "agent: name the container, as in: agent dance one\n"
            "Try: agent dance --help\n");
  EXPECT_EQ(Agent({"dance", "one", "two"}, &out, &err), kAgentFailed);
  EXPECT_THAT(err, HasSubstr("\"two\" is one argument too many"));
  EXPECT_EQ(Agent({"dance", "--fsat", "one"}, &out, &err), kAgentFailed);
  EXPECT_THAT(err, HasSubstr("--fast"));
  EXPECT_THAT(Seen(), ElementsAre());
}

TEST(SubcommandTest, WhatItRefusesIsShownWithAHint) {
  std::string out, err;
  EXPECT_EQ(Agent({"dance", "--to=nothing", "one"}, &out, &err), kAgentFailed);
  EXPECT_EQ(err, "agent: nobody dances to nothing\nTry: agent dance --help\n");
}

TEST(SubcommandTest, HelpListsThem) {
  for (const char* help : {"--help", "-h", "help"}) {
    std::string out, err;
    EXPECT_EQ(Agent({help}, &out, &err), 0);
    EXPECT_THAT(out, HasSubstr("  dance    Dances.\n"));
    EXPECT_EQ(err, "");
  }
}

TEST(SubcommandTest, HelpOnOneSaysAllOfIt) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{
           {"help", "dance"}, {"dance", "--help"}, {"dance", "one", "-h"}}) {
    std::string out, err;
    EXPECT_EQ(Agent(arguments, &out, &err), 0);
    EXPECT_THAT(out, AllOf(HasSubstr("Dances until it is tired.\n\nUsage: "
                                     "agent dance [FLAGS] CONTAINER\n"),
                           HasSubstr("--to=MUSIC"), HasSubstr("--help"),
                           HasSubstr("\n\nExit status: 7.\n")));
    EXPECT_THAT(Seen(), ElementsAre());
  }
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

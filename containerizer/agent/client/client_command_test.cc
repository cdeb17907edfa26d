// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/client/client_command.h"

#include <string>
#include <vector>

#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What the last call of Act() was given.
std::string work_dir_given;                // NOLINT
std::vector<std::string> arguments_given;  // NOLINT

int Act(const ClientCall& call) {
  work_dir_given = call.work_dir;
  arguments_given = call.ids();
  return 42;
}

int Call(const std::vector<std::string>& arguments) {
  Surroundings surroundings;
  surroundings.directory = "/here";
  surroundings.environment["HOME"] = "/usr";
  return RunClientCommand({"poke", "ID", "Pokes one.\n", {}, 1, 1},
                          surroundings, arguments, Act);
}

TEST(ClientCommandTest, ActsOnWhatItWasGiven) {
  EXPECT_EQ(Call({"--work_dir=w", "one"}), 42);
  EXPECT_EQ(work_dir_given, "/here/w");
  EXPECT_THAT(arguments_given, ElementsAre("one"));
  EXPECT_EQ(Call({"one"}), 42);
  EXPECT_EQ(work_dir_given, "/usr/.local/state/external_containerizer");
}

TEST(ClientCommandTest, WhatMakesNoSenseIsNotActedOn) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Call({}), kAgentFailed);
  EXPECT_EQ(Call({"one", "two"}), kAgentFailed);
  EXPECT_EQ(Call({"--wrok_dir=w", "one"}), kAgentFailed);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr("name the container, as in: agent poke one"),
                    HasSubstr("\"two\" is one argument too many"),
                    HasSubstr("--work_dir")));
}

TEST(ClientCommandTest, HelpIsAnswered) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(Call({"--help"}), 0);
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              AllOf(HasSubstr("Usage: agent poke [FLAGS] ID"),
                    HasSubstr("--work_dir=DIR")));
}

TEST(ExitStatusTest, IsThatOfShells) {
  EXPECT_EQ(ExitStatusOf(wire::MakeTermination(3 << 8, "")), 3);
  EXPECT_EQ(ExitStatusOf(wire::MakeTermination(9, "")), 128 + 9);
  EXPECT_EQ(ExitStatusOf(wire::Termination()), kAgentFailed);
}

TEST(EndedTest, SaysHowAndWhy) {
  wire::Termination end = wire::MakeTermination(9, "too much");
  end.add_reasons(wire::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
  EXPECT_EQ(EndedText(end),
            "killed by signal 9 (Killed) (REASON_CONTAINER_LIMITATION_MEMORY: "
            "too much)");
  EXPECT_EQ(EndedJson(wire::MakeTermination(3 << 8, "")).ToString(),
            "{\"exit_code\":3,\"message\":\"exited with code 3\"}");
}

}  // namespace
}  // namespace external_containerizer

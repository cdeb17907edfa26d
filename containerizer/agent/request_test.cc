// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/request.h"

#include <string>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/wire/validate.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

TEST(RequestTest, EnvironmentIsNamesAndValues) {
  EXPECT_THAT(ParseEnvironment({"A=1", "_b2=x=y\nz", "C="}),
              IsOkAndHolds(ElementsAre(Pair("A", "1"), Pair("_b2", "x=y\nz"),
                                       Pair("C", ""))));
}

TEST(RequestTest, NamesNeedNotBeOnesOfAShell) {
  EXPECT_THAT(ParseEnvironment({"a.b=1", "c-d=2", "1=3", "e f=4"}),
              IsOkAndHolds(ElementsAre(Pair("a.b", "1"), Pair("c-d", "2"),
                                       Pair("1", "3"), Pair("e f", "4"))));
}

TEST(RequestTest, LastValueOfANameCounts) {
  EXPECT_THAT(ParseEnvironment({"A=1", "B=2", "A=3"}),
              IsOkAndHolds(ElementsAre(Pair("B", "2"), Pair("A", "3"))));
}

TEST(RequestTest, WrongVariableIsNamedWithoutItsValue) {
  for (const char* bad : {"", "=x", "A\n=x", "A"}) {
    EXPECT_THAT(ParseEnvironment({bad}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("not like NAME=VALUE")))
        << bad;
  }
  EXPECT_THAT(
      ParseEnvironment({"A\x1b=secret"}),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("--env A\\x1b is"), Not(HasSubstr("secret")))));
  EXPECT_THAT(ParseEnvironment({"HOME"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("--env=HOME=\"$HOME\"")));
}

TEST(RequestTest, CommandStandsWhereverProgramsLook) {
  wire::Resource cpus;
  cpus.set_name("cpus");
  cpus.set_type(wire::Value::SCALAR);
  cpus.mutable_scalar()->set_value(0.5);
  const LaunchRequest request = MakeLaunchRequest(
      {"S", "F", "E", "C"}, {"/w", "slaves/S", {}},
      {"/bin/sh", {"sh", "-c", "exit 3"}, {{"A", "1"}}}, {cpus});
  EXPECT_EQ(request.id, "C");
  EXPECT_EQ(request.agent_id, "S");
  EXPECT_EQ(request.sandbox.FullPath(), "/w/slaves/S");
  EXPECT_FALSE(request.user.has_value());
  const wire::CommandInfo& command = request.task->command();
  EXPECT_FALSE(command.shell());
  EXPECT_EQ(command.value(), "/bin/sh");
  EXPECT_THAT(command.arguments(), ElementsAre("sh", "-c", "exit 3"));
  EXPECT_EQ(command.environment().variables(0).name(), "A");
  EXPECT_EQ(request.executor.command().SerializeAsString(),
            command.SerializeAsString());
  EXPECT_EQ(request.task->resources_size(), 1);
  EXPECT_EQ(request.executor.resources_size(), 1);
}

TEST(RequestTest, ATextForAShellIsTheWholeCommand) {
  TaskCommand command;
  command.shell = true;
  command.program = "echo hello; exit 3";
  const LaunchRequest request =
      MakeLaunchRequest({"S", "F", "E", "C"}, {"/w", "p", {}}, command, {});
  for (const wire::CommandInfo& info :
       {request.task->command(), request.executor.command()}) {
    EXPECT_TRUE(info.shell());
    EXPECT_EQ(info.value(), "echo hello; exit 3");
    EXPECT_EQ(info.arguments_size(), 0);
  }
}

TEST(RequestTest, RequestIsCompleteForEveryRelease) {
  const LaunchRequest request = MakeLaunchRequest(
      {"S", "F", "E", "C"}, {"/w", "p", {}}, {"true", {"true"}, {}}, {});
  EXPECT_THAT(wire::CheckComplete(*request.task), IsOk());
  EXPECT_THAT(wire::CheckComplete(request.executor), IsOk());
}

}  // namespace
}  // namespace external_containerizer

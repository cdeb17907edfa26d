// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/launch_plan.h"

#include <unistd.h>

#include <string>

#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

void AddResource(google::protobuf::RepeatedPtrField<wire::Resource>* resources,
                 const std::string& name, double amount) {
  wire::Resource* resource = resources->Add();
  resource->set_name(name);
  resource->mutable_scalar()->set_value(amount);
}

TEST(LaunchPlanTest, TheExecutorsCommandComesBeforeTheTasks) {
  wire::Launch launch;
  launch.mutable_task_info()->mutable_command()->set_value("task");
  EXPECT_THAT(MakeTaskSpec(launch, {})->arguments(),
              ElementsAre("sh", "-c", "task"));
  launch.mutable_executor_info();
  EXPECT_THAT(MakeTaskSpec(launch, {})->arguments(),
              ElementsAre("sh", "-c", "task"));
  launch.mutable_executor_info()->mutable_command()->set_value("executor");
  EXPECT_THAT(MakeTaskSpec(launch, {})->arguments(),
              ElementsAre("sh", "-c", "executor"));
  EXPECT_EQ(MakeTaskSpec(launch, {})->executable(), "/bin/sh");
}

TEST(LaunchPlanTest, NoCommandIsAnError) {
  wire::Launch launch;
  EXPECT_THAT(MakeTaskSpec(launch, {}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("nothing to run")));
  launch.mutable_executor_info()->mutable_command()->set_value("");
  EXPECT_THAT(MakeTaskSpec(launch, {}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(LaunchPlanTest, ANulCannotBePassedOn) {
  wire::Launch launch;
  wire::CommandInfo* command =
      launch.mutable_executor_info()->mutable_command();
  command->set_value("x");
  EXPECT_THAT(MakeTaskSpec(launch, {}), IsOk());
  auto* variable = command->mutable_environment()->add_variables();
  variable->set_name("A");
  variable->set_value(std::string("b\0c", 3));
  EXPECT_THAT(MakeTaskSpec(launch, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("NUL")));
}

TEST(LaunchPlanTest, WithoutAShellTheArgumentsAreTheWholeArgv) {
  wire::Launch launch;
  wire::CommandInfo* command =
      launch.mutable_executor_info()->mutable_command();
  command->set_shell(false);
  command->set_value("/bin/echo");
  EXPECT_THAT(MakeTaskSpec(launch, {})->arguments(), ElementsAre("/bin/echo"));
  command->add_arguments("other-name");
  command->add_arguments("$HOME; rm");
  EXPECT_THAT(MakeTaskSpec(launch, {})->arguments(),
              ElementsAre("other-name", "$HOME; rm"));
  EXPECT_EQ(MakeTaskSpec(launch, {})->executable(), "/bin/echo");
}

TEST(LaunchPlanTest, TheCommandsEnvironmentWins) {
  wire::Launch launch;
  wire::CommandInfo* command =
      launch.mutable_executor_info()->mutable_command();
  command->set_value("x");
  wire::Environment::Variable* variable =
      command->mutable_environment()->add_variables();
  variable->set_name("B");
  variable->set_value("new=1");
  EXPECT_THAT(MakeTaskSpec(launch, {{"A", "1"},
                                    {"B", "old"},
                                    {"POSIX_CONTAINERIZER_TOKEN", "outer"}})
                  ->environment(),
              ElementsAre("A=1", "B=new=1"));
  for (const char* name : {"", "A=B"}) {
    variable->set_name(name);
    EXPECT_THAT(MakeTaskSpec(launch, {}),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(LaunchPlanTest, ItsOwnUserIsNoChange) {
  wire::Launch launch;
  launch.mutable_executor_info()->mutable_command()->set_value("x");
  EXPECT_FALSE(MakeTaskSpec(launch, {}).value().has_user());
  launch.set_user(std::to_string(geteuid()));
  const TaskSpec spec = MakeTaskSpec(launch, {{"HOME", "/mine"}}).value();
  EXPECT_FALSE(spec.has_user());
  EXPECT_THAT(spec.environment(), ElementsAre("HOME=/mine"));
}

TEST(LaunchPlanTest, TheLaunchsUserComesBeforeTheCommands) {
  wire::Launch launch;
  auto* command = launch.mutable_executor_info()->mutable_command();
  command->set_value("x");
  command->set_user("no-such-user");
  EXPECT_THAT(MakeTaskSpec(launch, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("no-such-user")));
  launch.set_user(std::to_string(geteuid()));
  EXPECT_THAT(MakeTaskSpec(launch, {}), IsOk());
}

TEST(LaunchPlanTest, ResourcesOfOneNameAddUp) {
  wire::Launch launch;
  AddResource(launch.mutable_task_info()->mutable_resources(), "cpus", 4);
  EXPECT_EQ(LimitsOf(launch).cpus(), 4);
  EXPECT_FALSE(LimitsOf(launch).has_mem_mib());
  auto* resources = launch.mutable_executor_info()->mutable_resources();
  AddResource(resources, "cpus", 0.5);
  AddResource(resources, "mem", 32);
  AddResource(resources, "cpus", 0.25);
  AddResource(resources, "disk", 1);
  resources->Add()->set_name("mem");
  EXPECT_EQ(LimitsOf(launch).cpus(), 0.75);
  EXPECT_EQ(LimitsOf(launch).mem_mib(), 32);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

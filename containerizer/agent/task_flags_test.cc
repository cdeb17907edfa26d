// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/task_flags.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

class TaskFlagsTest : public ::testing::Test {
 protected:
  TaskFlagsTest() {
    surroundings_.directory = "/here";
    surroundings_.executable = "/opt/bin/agent";
    surroundings_.environment["HOME"] = "/home/me";
  }

  static Flags Parse(const std::vector<std::string>& arguments) {
    const absl::StatusOr<Flags> flags =
        Flags::Parse({ContainerizerPathFlag(),
                      ResourcesFlag(),
                      EnvironmentFlag(),
                      UserFlag(),
                      HelpFlag(),
                      {"work_dir", "DIR", "Where."}},
                     arguments);
    EXPECT_THAT(flags, IsOk());
    return *flags;
  }

  Surroundings surroundings_;
};

TEST_F(TaskFlagsTest, TheWorkDirectoryIsTheUsersOrTheOneThatIsNamed) {
  EXPECT_THAT(WorkDirectoryOf(surroundings_, Parse({})),
              IsOkAndHolds("/home/me/.local/state/external_containerizer"));
  EXPECT_THAT(WorkDirectoryOf(surroundings_, Parse({"--work_dir=w"})),
              IsOkAndHolds("/here/w"));
  EXPECT_THAT(WorkDirectoryOf(surroundings_, Parse({"--work_dir="})),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(TaskFlagsTest, TheCommandIsWhatFollowsTheFlags) {
  const auto command = TaskCommandOf(
      surroundings_,
      Parse({"--env=A=1", "--env=B=2", "--user=nobody", "--", "echo", "-n"}),
      "run");
  ASSERT_THAT(command, IsOk());
  EXPECT_EQ(command->program, "echo");
  EXPECT_THAT(command->arguments, ElementsAre("echo", "-n"));
  EXPECT_THAT(command->environment,
              ElementsAre(Pair("A", "1"), Pair("B", "2")));
  EXPECT_EQ(command->user, "nobody");
}

TEST_F(TaskFlagsTest, WithoutACommandItSaysHowToGiveOne) {
  EXPECT_THAT(TaskCommandOf(surroundings_, Parse({}), "launch"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("agent launch -- echo hello")));
}

TEST_F(TaskFlagsTest, AUserWithoutANameIsRefused) {
  EXPECT_THAT(
      TaskCommandOf(surroundings_, Parse({"--user=", "--", "true"}), "run"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("--user is empty")));
}

TEST_F(TaskFlagsTest, ResourcesThatMakeNoSenseAreNamedByTheirFlag) {
  EXPECT_THAT(ResourcesOf(Parse({"--resources=cpus:1;mem:64"})), IsOk());
  EXPECT_THAT(
      ResourcesOf(Parse({"--resources=cpus"})),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--resources: ")));
}

TEST_F(TaskFlagsTest, TheProgramIsTheOneThatIsNamed) {
  EXPECT_THAT(
      ProgramOf(surroundings_, Parse({"--containerizer_path=./program"})),
      IsOkAndHolds("/here/./program"));
}

TEST_F(TaskFlagsTest, ProgramsThatComeWithTheAgentAreBesideIt) {
  EXPECT_EQ(LibexecDirectoryOf(surroundings_), "/opt/bin");
  surroundings_.executable = "";
  EXPECT_EQ(LibexecDirectoryOf(surroundings_), "");
}

}  // namespace
}  // namespace external_containerizer

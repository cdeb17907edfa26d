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
using ::testing::IsEmpty;
using ::testing::Pair;

class TaskFlagsTest : public ::testing::Test {
 protected:
  TaskFlagsTest() {
    surroundings_.directory = "/here";
    surroundings_.executable = "/opt/bin/agent";
    surroundings_.environment["HOME"] = "/usr";
  }

  Call Parse(const std::vector<std::string>& arguments) {
    Subcommand subcommand = {"do", "Does it."};
    subcommand.flags = JoinFlags(
        {ProgramFlags(), TaskFlags(), {{"work_dir", "DIR", "Where."}}});
    subcommand.max_arguments = Subcommand::kCommand;
    const absl::StatusOr<Call> call =
        ParseCall(subcommand, surroundings_, arguments);
    EXPECT_THAT(call, IsOk());
    return *call;
  }

  Surroundings surroundings_;
};

TEST_F(TaskFlagsTest, TheWorkDirectoryIsTheUsersOrTheOneThatIsNamed) {
  EXPECT_THAT(WorkDirectoryOf(Parse({})),
              IsOkAndHolds("/usr/.local/state/external_containerizer"));
  EXPECT_THAT(WorkDirectoryOf(Parse({"--work_dir=w"})),
              IsOkAndHolds("/here/w"));
  EXPECT_THAT(WorkDirectoryOf(Parse({"--work_dir="})),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(TaskFlagsTest, TheCommandIsWhatFollowsTheFlags) {
  const auto command = TaskCommandOf(
      Parse({"--env=A=1", "--env=B=2", "--user=nobody", "--", "echo", "-n"}),
      "run");
  ASSERT_THAT(command, IsOk());
  EXPECT_EQ(command->program, "echo");
  EXPECT_THAT(command->arguments, ElementsAre("echo", "-n"));
  EXPECT_THAT(command->environment,
              ElementsAre(Pair("A", "1"), Pair("B", "2")));
  EXPECT_EQ(command->user, "nobody");
}

TEST_F(TaskFlagsTest, ATextForAShellStandsInPlaceOfTheCommand) {
  const auto command = TaskCommandOf(Parse({"--shell=echo $A; exit 3"}), "run");
  ASSERT_THAT(command, IsOk());
  EXPECT_TRUE(command->shell);
  EXPECT_EQ(command->program, "echo $A; exit 3");
  EXPECT_THAT(command->arguments, IsEmpty());
  EXPECT_THAT(
      TaskCommandOf(Parse({"--shell=a", "--", "b"}), "run"),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"b\" is too")));
  EXPECT_THAT(TaskCommandOf(Parse({"--shell="}), "run"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("--shell is empty")));
}

TEST_F(TaskFlagsTest, WithoutACommandItSaysHowToGiveOne) {
  EXPECT_THAT(TaskCommandOf(Parse({}), "launch"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("agent launch -- echo hello")));
}

TEST_F(TaskFlagsTest, AUserWithoutANameIsRefused) {
  EXPECT_THAT(TaskCommandOf(Parse({"--user=", "--", "true"}), "run"),
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
  const auto program = ProgramOf(
      Parse({"--containerizer_path=./program", "--inherit=AWS_*",
             "--inherit=KUBECONFIG", "--termination_status=exit_code"}));
  ASSERT_THAT(program, IsOk());
  EXPECT_EQ(program->command_line, "/here/./program");
  EXPECT_EQ(program->libexec_directory, "/opt/bin");
  EXPECT_THAT(program->inherit, ElementsAre("AWS_*", "KUBECONFIG"));
  EXPECT_EQ(program->exits, wire::ExitConvention::kExitCode);
}

TEST_F(TaskFlagsTest, APatternOfVariablesIsANameOrABeginning) {
  for (const char* wrong : {"", "A=1", "A*B", "*A"}) {
    EXPECT_THAT(
        ProgramOf(Parse({"--containerizer_path=p", "--inherit", wrong})),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("--inherit=")))
        << wrong;
  }
  EXPECT_THAT(ProgramOf(Parse({"--containerizer_path=p", "--inherit=*"})),
              IsOk());
}

}  // namespace
}  // namespace external_containerizer

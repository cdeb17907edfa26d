// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/run_command.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

Surroundings User() {
  Surroundings surroundings;
  surroundings.environment["HOME"] = "/usr";
  surroundings.environment["BUILD_WORKING_DIRECTORY"] = "/home/me/src";
  surroundings.directory = "/bazel";
  surroundings.executable = "/opt/bin/agent";
  return surroundings;
}

absl::StatusOr<RunOptions> ParseAll(const std::vector<std::string>& arguments) {
  const Surroundings user = User();
  const absl::StatusOr<Call> call = ParseCall(RunSubcommand(), user, arguments);
  if (!call.ok()) return call.status();
  return RunOptionsOf(*call);
}

absl::StatusOr<RunOptions> Parse(std::vector<std::string> arguments) {
  // No `posix` is beside this test.
  arguments.insert(arguments.begin(), "--containerizer_path=p");
  return ParseAll(arguments);
}

auto Says(const std::string& what) {
  return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what));
}

TEST(RunCommandTest, ReadsAllThatIsAsked) {
  const auto options =
      ParseAll({"--containerizer_path", "./p x", "--work_dir=w", "--env=A=1",
                "--resources=cpus:0.5;mem:64", "-v", "--json", "--", "sh", "-c",
                "exit 3"});
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->program.command_line, "/home/me/src/./p x");
  EXPECT_EQ(options->work_dir, "/home/me/src/w");
  EXPECT_EQ(options->program.libexec_directory, "/opt/bin");
  EXPECT_THAT(options->command.environment, ElementsAre(Pair("A", "1")));
  EXPECT_EQ(options->resources.size(), 2u);
  EXPECT_TRUE(options->verbose);
  EXPECT_TRUE(options->json);
  EXPECT_EQ(options->command.program, "sh");
  EXPECT_THAT(options->command.arguments, ElementsAre("sh", "-c", "exit 3"));
}

TEST(RunCommandTest, AnotherProgramDecidesWhichUsersThereAre) {
  const std::string self = absl::StrCat(geteuid());
  const auto options = Parse({"--user=" + self, "true"});
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->command.user, self);
  EXPECT_FALSE(options->owner.has_value()) << "the sandbox is its already";
  const auto unknown = Parse({"--user=no-such-user", "true"});
  ASSERT_THAT(unknown, IsOk());
  EXPECT_EQ(unknown->command.user, "no-such-user");
  EXPECT_FALSE(unknown->owner.has_value());
  EXPECT_THAT(Parse({"--user=", "true"}), Says("--user"));
}

TEST(RunCommandTest, DefaultsAreTheUsers) {
  const auto options = Parse({"true"});
  ASSERT_THAT(options, IsOk());
  EXPECT_EQ(options->program.command_line, "p");
  EXPECT_EQ(options->work_dir, "/usr/.local/state/external_containerizer");
  EXPECT_TRUE(options->resources.empty());
  EXPECT_FALSE(options->verbose);
  EXPECT_FALSE(options->json);
}

TEST(RunCommandTest, WithoutACommandThereIsNothingToRun) {
  EXPECT_THAT(Parse({}), Says("there is no command to run"));
  EXPECT_THAT(Parse({"--"}), Says("there is no command to run"));
  EXPECT_THAT(Parse({"--", ""}), Says("there is no command to run"));
}

TEST(RunCommandTest, ErrorsNameTheFlag) {
  EXPECT_THAT(Parse({"--resources=cpus", "x"}), Says("--resources: resource"));
  EXPECT_THAT(Parse({"--env=1", "x"}), Says("--env 1 is not like NAME=VALUE"));
  EXPECT_THAT(Parse({"--inherit=A=1", "x"}), Says("--inherit=A=1: it is"));
  EXPECT_THAT(Parse({"--termination_status=raw", "x"}),
              Says("wait_status or exit_code"));
  EXPECT_THAT(Parse({"--work_dir=", "x"}), Says("--work_dir is empty"));
  EXPECT_THAT(Parse({"--containerizer_path=", "x"}),
              Says("--containerizer_path is empty"));
  EXPECT_THAT(Parse({"--resource=cpus:1", "x"}),
              Says("did you mean --resources?"));
}

TEST(RunCommandTest, HelpTeachesEveryFlagAndTheExitStatus) {
  const std::string help = HelpOf(RunSubcommand());
  for (const char* flag :
       {"containerizer_path", "inherit", "termination_status", "work_dir",
        "shell", "resources", "env", "user", "json", "verbose", "help"}) {
    EXPECT_THAT(help, HasSubstr(absl::StrCat("--", flag)));
  }
  EXPECT_THAT(help, HasSubstr("Usage: agent run [FLAGS] -- COMMAND"));
  EXPECT_THAT(help, HasSubstr("Examples:"));
  EXPECT_THAT(help, HasSubstr("128+N"));
  EXPECT_THAT(help, HasSubstr("Stdin is not"));
}

TEST(RunCommandTest, HelpFitsATerminal) {
  const std::string help = HelpOf(RunSubcommand());
  size_t begin = 0;
  for (size_t end; (end = help.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    EXPECT_LE(end - begin, 80u) << help.substr(begin, end - begin);
  }
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/client/client_command.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;

// Connects to the agent. Returns 42 if there is one.
absl::StatusOr<int> Poke(const Call& call) {
  const auto client = Connect(call);
  return client.ok() ? 42 : Fail(call, client.status());
}

int RunPoke(const std::vector<std::string>& arguments) {
  Subcommand poke = {"poke", "Pokes."};
  poke.flags = ClientFlags({JsonFlag("Prints why not.")});
  poke.run = Poke;
  Surroundings surroundings;
  surroundings.directory = "/here";
  surroundings.environment["HOME"] = "/usr";
  std::vector<std::string> all = {"poke"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return Dispatch({poke}, surroundings, all);
}

TEST(ClientCommandTest, TheAgentIsTheOneOfTheWorkDirectory) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(RunPoke({"--work_dir=w"}), kAgentFailed);
  EXPECT_EQ(RunPoke({}), kAgentFailed);
  EXPECT_EQ(RunPoke({"--work_dir="}), kAgentFailed);
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      AllOf(HasSubstr("no agent serves /here/w "),
            HasSubstr("serves /usr/.local/state/external_containerizer "),
            HasSubstr("--work_dir is empty")));
}

TEST(ClientCommandTest, AFailureIsAlsoOnStdoutIfJsonIsAskedFor) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(RunPoke({"--json"}), kAgentFailed);
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              HasSubstr("\"type\":\"error\""));
}

TEST(ClientCommandTest, HelpNamesTheWorkDirectory) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(RunPoke({"--help"}), 0);
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              AllOf(HasSubstr("Usage: agent poke [FLAGS]\n"),
                    HasSubstr("--work_dir=DIR"), HasSubstr("--json")));
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The command line, and that the documents say what it says.

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "external_containerizer/testing/conformance/check_testing.h"
#include "external_containerizer/testing/conformance/checks.h"
#include "external_containerizer/testing/test_data.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace conformance {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Posix() { return TestDataPath("containerizer/posix/posix"); }

TEST(CheckTest, NamesAreUniqueAndSentencesEnd) {
  std::set<std::string> names;
  for (const Check& check : AllChecks()) {
    EXPECT_TRUE(names.insert(check.name).second) << check.name;
    EXPECT_TRUE(absl::EndsWith(check.says, ".")) << check.name;
    EXPECT_LT(check.name.size(), 22u) << check.name;
  }
}

TEST(CheckTest, EachRuleStandsInTheProtocolAndHasACheck) {
  const std::string protocol = ReadTestData("docs/protocol.md");
  std::set<std::string> rules;
  for (const Check& check : AllChecks()) {
    for (const absl::string_view anchor : absl::StrSplit(check.rule, ", ")) {
      EXPECT_THAT(protocol, HasSubstr(absl::StrCat("\n| ", anchor, " | ")))
          << check.name;
      rules.insert(std::string(anchor));
    }
  }
  for (int i = 1; absl::StrContains(protocol, absl::StrCat("\n| R", i, " | "));
       ++i) {
    EXPECT_EQ(rules.count(absl::StrCat("R", i)), 1u) << "no check of R" << i;
  }
}

TEST(CheckTest, TheReadmeListsTheChecks) {
  std::string table;
  for (const Check& check : AllChecks()) {
    absl::StrAppendFormat(&table, "| `%s` | %s%s | %s | %s |\n", check.name,
                          check.level == Level::kMust ? "must" : "should",
                          check.styles == Check::For::kBoth   ? ""
                          : check.styles == Check::For::kExec ? ", exec"
                                                              : ", helper",
                          check.rule, check.says);
  }
  EXPECT_THAT(ReadTestData("testing/conformance/README.md"), HasSubstr(table))
      << "the table should be\n"
      << table;
}

TEST(CheckTest, ListNamesThemAll) {
  const CheckRun text = RunCheck("--list"), json = RunCheck("--list --json");
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_EQ(json.exit_code, 0);
  for (const Check& check : AllChecks()) {
    EXPECT_THAT(text.output, HasSubstr(check.name));
    EXPECT_THAT(json.output,
                HasSubstr(absl::StrCat("\"name\":\"", check.name, "\"")));
  }
}

TEST(CheckTest, OnlyRunsWhatIsNamed) {
  const CheckRun run = RunCheck(absl::StrCat(
      "--json --style=exec --only=exit-code,signal --only=destroy-twice -- ",
      Posix()));
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_THAT(NamesWith(run, "passed"),
              ElementsAre("destroy-twice", "exit-code", "signal"));
}

TEST(CheckTest, AMisspeltCheckHasASuggestion) {
  const CheckRun run = RunCheck(absl::StrCat("--only=exit-cod -- ", Posix()));
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.output, HasSubstr("did you mean exit-code?"));
  EXPECT_THAT(RunCheck(absl::StrCat("--only=zzzzzzzzz -- ", Posix())).output,
              HasSubstr("the checks are launch-returns, "));
}

TEST(CheckTest, WhatCannotBeRunIsTwo) {
  for (const std::string& arguments :
       {std::string(""), std::string("--style=odd -- ") + Posix(),
        std::string("-- /no/such/program"), std::string("--no-such-flag"),
        std::string("--timeout=often -- ") + Posix(),
        "--style=exec --only=hello -- " + Posix()}) {
    const CheckRun run = RunCheck(arguments);
    EXPECT_EQ(run.exit_code, 2) << arguments;
    EXPECT_THAT(run.output, StartsWith("check: ")) << arguments;
  }
}

TEST(CheckTest, WhatAProgramLacksIsSkipped) {
  const CheckRun run = RunCheck(
      absl::StrCat("--json --style=exec --no-usage --no-update --no-arguments "
                   "--only=usage-record,update-harmless,arguments -- ",
                   Posix()));
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_THAT(NamesWith(run, "skipped"),
              ElementsAre("arguments", "update-harmless", "usage-record"));
}

TEST(CheckTest, TheStylesThatAProgramKnowsAreFoundOut) {
  const CheckRun both = RunCheck(absl::StrCat("--only=exit-code -- ", Posix()));
  EXPECT_THAT(both.output, AllOf(HasSubstr("one process per command"),
                                 HasSubstr("a helper that stays")));
}

TEST(CheckTest, AProgramThatHangsIsLeftBehindAndTheLimitHolds) {
  const CheckRun run = RunCheck(
      absl::StrCat("--json --style=exec --timeout=100ms --limit=1s -- ",
                   TestDataPath("testing/misbehaving/misbehave"), " hang"));
  EXPECT_EQ(run.exit_code, 1) << run.output;
  EXPECT_THAT(run.output, HasSubstr("did not end within 100ms"));
  EXPECT_THAT(run.output, HasSubstr("\"type\":\"summary\""));
}

TEST(CheckTest, XmlIsWrittenWhereBazelWantsIt) {
  const std::string path = ::testing::TempDir() + "/junit.xml";
  setenv("XML_OUTPUT_FILE", path.c_str(), 1);
  RunCheck(absl::StrCat("--style=exec --only=exit-code -- ", Posix()));
  unsetenv("XML_OUTPUT_FILE");
  std::ifstream file(path);
  const std::string xml(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(xml,
              HasSubstr("<testcase name=\"exit-code\" classname=\"exec\""));
}

TEST(CheckTest, AHelperThatIsNoneFailsWithItsReason) {
  const CheckRun run =
      RunCheck(absl::StrCat("--style=helper --only=hello -- ",
                            TestDataPath("testing/programs/shell_program")));
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_THAT(run.output, HasSubstr("exited with status 2, and said:"));
}

}  // namespace
}  // namespace conformance
}  // namespace external_containerizer

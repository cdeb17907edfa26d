// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/conformance/report.h"

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace conformance {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

using Kind = Verdict::Kind;

Result Made(Level level, Kind kind, const std::string& why = "") {
  return {Style::kExec,
          {"a-check", level, "R7, D6", "It holds.", nullptr},
          {kind, why},
          absl::Milliseconds(1500)};
}

TEST(ReportTest, OnlyWhatMustHoldCountsUnlessItIsStrict) {
  for (const Kind kind : {Kind::kFailed, Kind::kNotJudged}) {
    EXPECT_TRUE(Counts(Made(Level::kMust, kind), false));
    EXPECT_FALSE(Counts(Made(Level::kShould, kind), false));
    EXPECT_TRUE(Counts(Made(Level::kShould, kind), true));
  }
  for (const Kind kind : {Kind::kPassed, Kind::kSkipped}) {
    EXPECT_FALSE(Counts(Made(Level::kMust, kind), true));
  }
}

TEST(ReportTest, AFailureHasItsReasonAndItsRule) {
  const std::string text =
      ResultText(Made(Level::kMust, Kind::kFailed, "the reason"));
  EXPECT_THAT(text, HasSubstr("FAILED     must   a-check"));
  EXPECT_THAT(text, HasSubstr("the reason\n"));
  EXPECT_THAT(text, HasSubstr("docs/protocol.md, R7, D6: It holds.\n"));
}

TEST(ReportTest, LongReasonsAreWrapped) {
  std::string why;
  for (int i = 0; i < 100; ++i) why += "word ";
  const std::string text = ResultText(Made(Level::kMust, Kind::kFailed, why));
  EXPECT_THAT(std::vector<std::string>(absl::StrSplit(text, '\n')),
              Each(SizeIs(::testing::Lt(80u))));
}

TEST(ReportTest, JsonIsOneObjectALine) {
  EXPECT_EQ(ResultJson(Made(Level::kShould, Kind::kFailed, "a \"b\"")),
            "{\"type\":\"check\",\"style\":\"exec\",\"name\":\"a-check\","
            "\"level\":\"should\",\"rule\":\"R7, D6\",\"says\":\"It holds.\","
            "\"result\":\"failed\",\"why\":\"a \\\"b\\\"\",\"seconds\":1.5}\n");
  EXPECT_EQ(SummaryJson({Made(Level::kMust, Kind::kPassed),
                         Made(Level::kMust, Kind::kNotJudged)},
                        false),
            "{\"type\":\"summary\",\"passed\":1,\"failed\":0,\"not_judged\":1,"
            "\"skipped\":0,\"conforms\":false}\n");
}

TEST(ReportTest, TheSummaryNamesWhatFailed) {
  const std::vector<Result> results = {
      Made(Level::kMust, Kind::kPassed),
      Made(Level::kShould, Kind::kFailed, "why")};
  EXPECT_THAT(SummaryText(results, false),
              AllOf(HasSubstr("1 of 2 checks passed"),
                    HasSubstr("failed: a-check"), HasSubstr("conforms")));
  EXPECT_THAT(SummaryText(results, true), HasSubstr("does not conform"));
}

TEST(ReportTest, JUnitHasAFailureWhereItCountsAndEscapes) {
  const std::vector<Result> results = {
      Made(Level::kMust, Kind::kPassed),
      Made(Level::kMust, Kind::kFailed, "<a> & \"b\""),
      Made(Level::kShould, Kind::kFailed, "less")};
  const std::string xml = JUnit("/a/program", results, false);
  EXPECT_THAT(xml, HasSubstr("tests=\"3\" failures=\"1\" skipped=\"1\""));
  EXPECT_THAT(xml,
              HasSubstr("<failure message=\"failed: &lt;a&gt; &amp; "
                        "&quot;b&quot;\">docs/protocol.md, R7, D6: It holds."
                        "</failure>"));
  EXPECT_THAT(xml, HasSubstr("<skipped message=\"failed: less\">"));
  EXPECT_THAT(JUnit("/a/program", results, true), Not(HasSubstr("<skipped")));
}

}  // namespace
}  // namespace conformance
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/flags.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const std::vector<Flag>& Known() {
  static const auto& known = *new std::vector<Flag>{
      {"work_dir", "DIR",
       "Where to work, in words that do not fit into one line of eighty text "
       "columns."},
      {"env", "NAME=VALUE", "A variable."},
      {"verbose", "", "Say more.", 'v'},
  };
  return known;
}

std::string ErrorOf(const std::vector<std::string>& arguments) {
  const absl::StatusOr<Flags> flags = Flags::Parse(Known(), arguments);
  EXPECT_EQ(flags.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(flags.status().message());
}

TEST(FlagsTest, ValueComesWithEqualsSignOrAsNextArgument) {
  const auto flags =
      Flags::Parse(Known(), {"--work_dir=a=b", "--env", "X=1", "--env=Y=\n2"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->Value("work_dir", ""), "a=b");
  EXPECT_THAT(flags->Values("env"), ElementsAre("X=1", "Y=\n2"));
  EXPECT_THAT(flags->rest(), IsEmpty());
}

TEST(FlagsTest, ValueMayBeEmptyOrBeginWithADash) {
  const auto flags = Flags::Parse(Known(), {"--work_dir=", "--env", "--"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->Value("work_dir", "other"), "");
  EXPECT_THAT(flags->Values("env"), ElementsAre("--"));
}

TEST(FlagsTest, LastValueCounts) {
  const auto flags = Flags::Parse(
      Known(), {"--work_dir=a", "--work_dir=b", "-v", "--verbose=false"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->Value("work_dir", ""), "b");
  EXPECT_FALSE(flags->On("verbose"));
}

TEST(FlagsTest, SwitchHasALetter) {
  const auto flags = Flags::Parse(Known(), {"-v"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_TRUE(flags->On("verbose"));
}

TEST(FlagsTest, CommandBeginsAfterTwoDashesOrAtFirstWord) {
  auto flags = Flags::Parse(Known(), {"-v", "--", "--env", "x"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_THAT(flags->rest(), ElementsAre("--env", "x"));
  flags = Flags::Parse(Known(), {"sh", "-v", "--", "--nonsense"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_THAT(flags->rest(), ElementsAre("sh", "-v", "--", "--nonsense"));
  EXPECT_FALSE(flags->On("verbose"));
}

TEST(FlagsTest, HelpIsAlwaysKnown) {
  for (const char* help : {"--help", "-h"}) {
    const auto flags = Flags::Parse(Known(), {help});
    ASSERT_TRUE(flags.ok()) << flags.status();
    EXPECT_TRUE(flags->On("help"));
  }
}

TEST(FlagsTest, UnknownFlagNamesTheNearest) {
  EXPECT_THAT(ErrorOf({"--work-dir=x"}),
              HasSubstr("no flag --work-dir; did you mean --work_dir?"));
  EXPECT_THAT(ErrorOf({"--verbos"}), HasSubstr("did you mean --verbose?"));
  EXPECT_THAT(ErrorOf({"--hlep"}), HasSubstr("did you mean --help?"));
  EXPECT_THAT(ErrorOf({"--zzzzzzz"}), Not(HasSubstr("did you mean")));
  EXPECT_THAT(ErrorOf({"-x"}), HasSubstr("no flag -x"));
  EXPECT_THAT(ErrorOf({"-verbose"}), HasSubstr("did you mean --verbose?"));
}

TEST(FlagsTest, UnknownFlagIsShownEscapedAndBounded) {
  EXPECT_THAT(ErrorOf({"--\x1b[31m"}), HasSubstr("--\\x1b[31m"));
  EXPECT_LT(ErrorOf({"--" + std::string(100000, 'x')}).size(), 300u);
}

TEST(FlagsTest, MissingAndSuperfluousValuesAreErrors) {
  EXPECT_THAT(ErrorOf({"--work_dir"}),
              HasSubstr("needs a value: --work_dir=DIR"));
  EXPECT_THAT(ErrorOf({"--verbose=2"}), HasSubstr("not \"2\""));
  EXPECT_THAT(ErrorOf({"--verbose="}), HasSubstr("not \"\""));
}

TEST(FlagsTest, BytesThatAreNotUtf8AreValues) {
  const auto flags = Flags::Parse(Known(), {"--work_dir=\xff\xfe"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->Value("work_dir", ""), "\xff\xfe");
}

TEST(FlagsTest, HelpListsEveryFlag) {
  EXPECT_EQ(HelpOn(Known()),
            "  --work_dir=DIR\n"
            "      Where to work, in words that do not fit into one line of "
            "eighty text\n"
            "      columns.\n"
            "  --env=NAME=VALUE\n"
            "      A variable.\n"
            "  -v, --verbose\n"
            "      Say more.\n");
}

}  // namespace
}  // namespace external_containerizer

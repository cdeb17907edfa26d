// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/decode.h"

#include <optional>
#include <string>

#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int kExit3 = 3 << 8;

Answer Answered(std::optional<std::string> output, int wait_status = 0,
                absl::Status status = absl::OkStatus()) {
  return Answer{Outcome::kAnswered, std::move(output), wait_status,
                std::move(status)};
}

std::string TerminationBytes() {
  wire::Termination termination;
  termination.set_status(kExit3);
  return termination.SerializeAsString();
}

std::string UsageBytes() {
  wire::ResourceStatistics usage;
  usage.set_timestamp(1);
  usage.set_mem_rss_bytes(4096);
  return usage.SerializeAsString();
}

TEST(DecodeTest, AGoodTerminationCountsWhateverTheExitCodeSays) {
  const CommandResult result =
      Decode(Command::kWait, "a",
             Answered(TerminationBytes(), kExit3,
                      absl::InternalError("exited with status 3")));
  ASSERT_THAT(result.status, IsOk());
  EXPECT_EQ(result.termination->status(), kExit3);
}

TEST(DecodeTest, ABareExitCodeIsReadAsOneWhereTheProgramMeansThat) {
  wire::Termination bare;
  bare.set_status(3);
  const CommandResult result =
      Decode(Command::kWait, "a", Answered(bare.SerializeAsString()),
             wire::ExitConvention::kExitCode);
  ASSERT_THAT(result.status, IsOk());
  EXPECT_EQ(result.termination->status(), kExit3);
}

TEST(DecodeTest, AnEmptyTerminationIsOne) {
  EXPECT_THAT(Decode(Command::kWait, "a", Answered("")).status, IsOk());
}

TEST(DecodeTest, WhatIsOddAboutAnAnswerIsTold) {
  Answer answer = Answered(TerminationBytes());
  EXPECT_EQ(Decode(Command::kWait, "a", answer).remark, "");
  answer.remark = "12 bytes too many";
  EXPECT_EQ(Decode(Command::kWait, "a", answer).remark, "12 bytes too many");
  answer.output = "";
  EXPECT_THAT(Decode(Command::kWait, "a", answer).remark,
              AllOf(HasSubstr("12 bytes too many; "),
                    HasSubstr("the Termination has no status")));
}

TEST(DecodeTest, AWaitWithoutARecordIsNoAnswer) {
  EXPECT_THAT(Decode(Command::kWait, "a", Answered(std::nullopt)).status,
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("wait of container \"a\""),
                             HasSubstr("no record"))));
}

TEST(DecodeTest, UsageOfAProgramThatFailedIsAFailure) {
  EXPECT_THAT(Decode(Command::kUsage, "a",
                     Answered(UsageBytes(), kExit3,
                              absl::InternalError("exited with status 3")))
                  .status,
              StatusIs(absl::StatusCode::kInternal, HasSubstr("status 3")));
}

TEST(DecodeTest, AGoodRecordCountsWhereTheExitStatusCannotBeKnown) {
  const CommandResult result =
      Decode(Command::kUsage, "a",
             Answer{Outcome::kAnswered, UsageBytes(), std::nullopt,
                    absl::InternalError("somebody else reaped the process")});
  ASSERT_THAT(result.status, IsOk());
  EXPECT_EQ(result.usage->mem_rss_bytes(), 4096u);
}

TEST(DecodeTest, UsageWithoutARecordMeansNoDataNow) {
  const CommandResult result =
      Decode(Command::kUsage, "a", Answered(std::nullopt));
  EXPECT_THAT(result.status, IsOk());
  EXPECT_FALSE(result.usage.has_value());
}

TEST(DecodeTest, UsageWithoutItsRequiredTimestampIsIncomplete) {
  wire::ResourceStatistics usage;
  usage.set_mem_rss_bytes(1);
  EXPECT_THAT(
      Decode(Command::kUsage, "a", Answered(usage.SerializeAsString())).status,
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("timestamp")));
}

TEST(DecodeTest, GarbageIsQuotedEscapedAndBounded) {
  const std::string garbage = "\x1b[31mTraceback\n" + std::string(500, 'x');
  const absl::Status status =
      Decode(Command::kUsage, "a\x1b", Answered(garbage)).status;
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss,
                               AllOf(HasSubstr("\\x1b[31mTraceback"),
                                     HasSubstr("container \"a\\x1b\""))));
  EXPECT_EQ(status.message().find('\x1b'), absl::string_view::npos);
  EXPECT_LT(status.message().size(), 400u);
}

TEST(DecodeTest, ContainersAreListed) {
  wire::Containers containers;
  containers.add_containers()->set_value("a");
  containers.add_containers()->set_value("b");
  EXPECT_THAT(
      Decode(Command::kContainers, "", Answered(containers.SerializeAsString()))
          .containers,
      ElementsAre("a", "b"));
}

TEST(DecodeTest, AnEmptyListIsARecordAndNoRecordIsNoList) {
  EXPECT_THAT(Decode(Command::kContainers, "", Answered("")).status, IsOk());
  EXPECT_THAT(Decode(Command::kContainers, "", Answered(std::nullopt)).status,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("length zero")));
}

TEST(DecodeTest, ATransportThatKnowsNothingDoesNotLookLikeSuccess) {
  EXPECT_THAT(Decode(Command::kLaunch, "a",
                     Answer{Outcome::kUnknown, std::nullopt, std::nullopt,
                            absl::OkStatus()})
                  .status,
              StatusIs(absl::StatusCode::kInternal));
}

TEST(DecodeTest, WhatIsWorthAnotherTry) {
  const auto worth = [](Outcome outcome, absl::Status status) {
    CommandResult result;
    result.outcome = outcome;
    result.status = std::move(status);
    return result.WorthAnotherTry();
  };
  EXPECT_TRUE(worth(Outcome::kUnknown, absl::InternalError("")));
  EXPECT_TRUE(worth(Outcome::kNotStarted, absl::UnavailableError("")));
  EXPECT_TRUE(worth(Outcome::kNotStarted, absl::ResourceExhaustedError("")));
  EXPECT_FALSE(worth(Outcome::kAnswered, absl::OkStatus()));
  EXPECT_FALSE(worth(Outcome::kEnded, absl::InternalError("")));
  EXPECT_FALSE(worth(Outcome::kUnknown, absl::DeadlineExceededError("")));
  EXPECT_FALSE(worth(Outcome::kUnknown, absl::CancelledError("")));
}

}  // namespace
}  // namespace external_containerizer

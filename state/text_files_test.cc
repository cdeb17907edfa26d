// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/text_files.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

using ::testing::HasSubstr;

constexpr auto kDataLoss = absl::StatusCode::kDataLoss;

TEST(TextFilesTest, AForkedPidReadsAsItWasWritten) {
  EXPECT_THAT(ParseForkedPid(FormatForkedPid(1)), IsOkAndHolds(1));
  EXPECT_THAT(ParseForkedPid(FormatForkedPid(4194304)), IsOkAndHolds(4194304));
  EXPECT_THAT(ParseForkedPid(" 1003\n"), IsOkAndHolds(1003));
}

TEST(TextFilesTest, ANumberThatIsNoProcessIsNoForkedPid) {
  for (const absl::string_view text : {"", "0", "-1", "-1003", "1003abc", "abc",
                                       "99999999999", "1 2", "0x10", "1.5"}) {
    EXPECT_THAT(ParseForkedPid(text), StatusIs(kDataLoss)) << text;
  }
}

TEST(TextFilesTest, AnAddressIsAnIdAHostAndAPort) {
  for (const absl::string_view text :
       {"executor(1)@127.0.0.1:41003", "@0.0.0.0:0", "s@x@10.0.0.1:65535"}) {
    EXPECT_THAT(ParseUpid(text), IsOkAndHolds(std::string(text)));
  }
  EXPECT_THAT(ParseUpid("a@1.2.3.4:5\n"), IsOkAndHolds("a@1.2.3.4:5"));
}

TEST(TextFilesTest, OtherTextIsNoAddress) {
  for (const absl::string_view text :
       {"", "garbage", "a@", "a@h", "a@:1", "a@h:", "a@h:65536", "a@h:-1",
        "a b@h:1", "h:1", "a@h:1\x1b[31m"}) {
    EXPECT_THAT(ParseUpid(text), StatusIs(kDataLoss)) << text;
  }
}

TEST(TextFilesTest, WhatIsWrongIsShownEscapedAndShort) {
  EXPECT_THAT(ParseUpid("\x1b[31m"), StatusIs(kDataLoss, HasSubstr("\\x1b")));
  EXPECT_LT(ParseForkedPid(std::string(4096, 'x')).status().message().size(),
            200u);
}

TEST(TextFilesTest, AFlagIsZeroOrOne) {
  EXPECT_THAT(ParseFlag("0"), IsOkAndHolds(false));
  EXPECT_THAT(ParseFlag("1\n"), IsOkAndHolds(true));
  EXPECT_THAT(ParseFlag("2"), StatusIs(kDataLoss));
  EXPECT_THAT(ParseFlag(""), StatusIs(kDataLoss));
}

TEST(TextFilesTest, ABootHasOneId) {
  const auto id = CurrentBootId();
  ASSERT_THAT(id, IsOk());
  EXPECT_THAT(CurrentBootId(), IsOkAndHolds(*id));
  EXPECT_EQ(ParseBootId(*id + "\n"), *id);
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer

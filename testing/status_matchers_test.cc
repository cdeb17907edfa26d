// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/status_matchers.h"

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AnyOf;
using ::testing::DescribeMatcher;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pointee;
using ::testing::StringMatchResultListener;

const absl::Status kLost = absl::NotFoundError("c-1 is gone");

TEST(StatusMatchersTest, LooksAtCodeAndMessageOfStatusAndStatusOr) {
  EXPECT_THAT(absl::OkStatus(), IsOk());
  EXPECT_THAT(kLost, Not(IsOk()));
  EXPECT_THAT(kLost, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(kLost, Not(StatusIs(absl::StatusCode::kInternal)));
  EXPECT_THAT(kLost, StatusIs(absl::StatusCode::kNotFound, HasSubstr("c-1")));
  EXPECT_THAT(kLost, StatusIs(absl::StatusCode::kNotFound, "c-1 is gone"));
  EXPECT_THAT(kLost,
              Not(StatusIs(absl::StatusCode::kNotFound, HasSubstr("c-2"))));
  EXPECT_THAT(kLost, StatusIs(AnyOf(absl::StatusCode::kAborted,
                                    absl::StatusCode::kNotFound)));

  EXPECT_THAT(absl::StatusOr<int>(3), IsOk());
  EXPECT_THAT(absl::StatusOr<int>(kLost), Not(IsOk()));
  EXPECT_THAT(absl::StatusOr<int>(kLost),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("c-1")));
}

TEST(StatusMatchersTest, LooksAtTheValueOfAnOkStatusOr) {
  EXPECT_THAT(absl::StatusOr<int>(3), IsOkAndHolds(3));
  EXPECT_THAT(absl::StatusOr<int>(3), IsOkAndHolds(Gt(2)));
  EXPECT_THAT(absl::StatusOr<int>(3), Not(IsOkAndHolds(4)));
  EXPECT_THAT(absl::StatusOr<int>(kLost), Not(IsOkAndHolds(3)));
  EXPECT_THAT(absl::StatusOr<std::string>("abc"), IsOkAndHolds("abc"));
  EXPECT_THAT(absl::StatusOr<std::string>("abc"), IsOkAndHolds(HasSubstr("b")));

  const absl::StatusOr<std::unique_ptr<int>> moved = std::make_unique<int>(5);
  EXPECT_THAT(moved, IsOkAndHolds(Pointee(5)));
}

TEST(StatusMatchersTest, ExplainsWhatItSaw) {
  StringMatchResultListener listener;
  EXPECT_FALSE(ExplainMatchResult(IsOk(), kLost, &listener));
  EXPECT_EQ(listener.str(), "whose status is NOT_FOUND: c-1 is gone");
  EXPECT_EQ(DescribeMatcher<absl::StatusOr<int>>(IsOkAndHolds(3)),
            "is OK and holds a value that is equal to 3");
}

}  // namespace
}  // namespace external_containerizer

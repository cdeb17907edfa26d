// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/benchmarks/turns.h"

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;

TEST(TurnsTest, AllAlternateAndTheFirstRoundDoesNotCount) {
  std::string order;
  double next = 0;
  const auto contender = [&](const char* name) {
    return Contender{name, [&order, &next, name]() -> absl::StatusOr<double> {
                       order += name;
                       return next++;
                     }};
  };
  const auto samples = TakeTurns(2, {contender("a"), contender("b")});
  ASSERT_THAT(samples, IsOk());
  EXPECT_EQ(order, "abbaab");
  EXPECT_THAT(*samples, ElementsAre(ElementsAre(3, 4), ElementsAre(2, 5)));
}

TEST(TurnsTest, WhatFailsEndsIt) {
  EXPECT_THAT(
      TakeTurns(2, {{"a", [] { return absl::UnavailableError("no"); }}}),
      StatusIs(absl::StatusCode::kUnavailable));
}

TEST(TurnsTest, ComparesToTheFirst) {
  const auto constant = [](double value) {
    return Contender{"x",
                     [value]() -> absl::StatusOr<double> { return value; }};
  };
  const auto ratio =
      Compare(3, "heading", "units", "", {constant(2), constant(5)});
  ASSERT_THAT(ratio, IsOk());
  EXPECT_EQ(*ratio, 2.5);
}

}  // namespace
}  // namespace external_containerizer

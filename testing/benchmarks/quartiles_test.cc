// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/benchmarks/quartiles.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;

std::vector<double> AsList(const Quartiles& quartiles) {
  return {quartiles.lower, quartiles.median, quartiles.upper};
}

TEST(QuartilesTest, AreElementsWhereTheseFallOnThem) {
  EXPECT_THAT(AsList(QuartilesOf({50, 10, 40, 20, 30})),
              ElementsAre(20, 30, 40));
}

TEST(QuartilesTest, AreInterpolatedBetweenElements) {
  EXPECT_THAT(AsList(QuartilesOf({4, 1, 3, 2})), ElementsAre(1.75, 2.5, 3.25));
}

TEST(QuartilesTest, OfOneSampleAreThatSample) {
  EXPECT_THAT(AsList(QuartilesOf({7})), ElementsAre(7, 7, 7));
}

TEST(QuartilesTest, HardlyMoveForOneOutlier) {
  EXPECT_THAT(AsList(QuartilesOf({1, 2, 3, 4, 1e9})), ElementsAre(2, 3, 4));
}

TEST(RatiosTest, ArePairedByPosition) {
  EXPECT_THAT(Ratios({2, 9}, {1, 3}), ElementsAre(2, 3));
}

}  // namespace
}  // namespace external_containerizer

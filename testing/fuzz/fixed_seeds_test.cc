// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include "absl/time/time.h"
#include "external_containerizer/testing/fuzz/fuzz_target.h"
#include "external_containerizer/transport/linux/clock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

// A broken promise aborts, and so fails the test.
TEST(FixedSeedsTest, NoInputBreaksAPromise) {
  constexpr unsigned kSeeds = 2000;
  const absl::Duration begin = MonotonicNow();
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    std::minstd_rand random(seed);
    std::vector<uint8_t> input(4 + random() % 400);
    for (uint8_t& byte : input) byte = static_cast<uint8_t>(random() >> 8);
    EXPECT_EQ(LLVMFuzzerTestOneInput(input.data(), input.size()), 0);
  }
  printf("%.0f executions a second\n",
         kSeeds / absl::ToDoubleSeconds(MonotonicNow() - begin));
}

TEST(FixedSeedsTest, AnEmptyInputBreaksNone) {
  EXPECT_EQ(LLVMFuzzerTestOneInput(nullptr, 0), 0);
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/fuzz/ttrpc_fuzz.h"

#include <cstdint>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

// A broken promise aborts, and so fails the test.
TEST(TtrpcFuzzTest, AnyStreamIsAnsweredOrRefusedAndEveryCallEndsOnce) {
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    std::minstd_rand random(seed);
    std::vector<uint8_t> input(4 + random() % 400);
    for (uint8_t& byte : input) byte = static_cast<uint8_t>(random() >> 8);
    EXPECT_EQ(LLVMFuzzerTestOneInput(input.data(), input.size()), 0);
  }
}

TEST(TtrpcFuzzTest, StreamOfNothingHarmsNobody) {
  EXPECT_EQ(LLVMFuzzerTestOneInput(nullptr, 0), 0);
}

}  // namespace
}  // namespace ttrpc
}  // namespace external_containerizer

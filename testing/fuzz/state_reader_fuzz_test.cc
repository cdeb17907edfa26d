// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/fuzz/state_reader_fuzz.h"

#include <cstdint>
#include <random>
#include <vector>

#include "external_containerizer/state/sample_tree_testing.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

// A broken promise aborts, and so fails the test.
TEST(StateReaderFuzzTest, AnyMutationIsReadOrRefused) {
  ASSERT_FALSE(SampleImage().empty());
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    std::minstd_rand random(seed);
    std::vector<uint8_t> input(4 + random() % 60);
    for (uint8_t& byte : input) byte = static_cast<uint8_t>(random() >> 8);
    EXPECT_EQ(LLVMFuzzerTestOneInput(input.data(), input.size()), 0);
  }
}

TEST(StateReaderFuzzTest, WithoutMutationTheTreeIsRead) {
  EXPECT_EQ(LLVMFuzzerTestOneInput(nullptr, 0), 0);
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer

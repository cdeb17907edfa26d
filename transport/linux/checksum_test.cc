// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/checksum.h"

#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

// From the authors' page on FNV.
TEST(ChecksumTest, ItIsFnv1aWith64Bits) {
  EXPECT_EQ(Checksum(""), 0xcbf29ce484222325u);
  EXPECT_EQ(Checksum("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(Checksum("foobar"), 0x85944171f73967e8u);
}

TEST(ChecksumTest, EveryByteCounts) {
  EXPECT_EQ(Checksum("\xff"), 0xaf64724c8602eb6eu);
  EXPECT_NE(Checksum(absl::string_view("\0", 1)), Checksum(""));
}

}  // namespace
}  // namespace external_containerizer

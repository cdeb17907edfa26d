// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/packages.h"

#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

TEST(PackagesTest, NothingIsMissingWhereThePathIs) {
  EXPECT_EQ(MissingPackage("/proc/self/exe", "any"), "");
}

// .ci/run looks for the second half.
TEST(PackagesTest, SaysWhatToInstall) {
  EXPECT_EQ(MissingPackage("/no/such/tool", "tool-dev"),
            "/no/such/tool is missing: install Debian's package tool-dev");
}

}  // namespace
}  // namespace external_containerizer

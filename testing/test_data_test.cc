// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/test_data.h"

#include <string>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

TEST(TestDataTest, FindsFilesFromTheTopOfTheProject) {
  EXPECT_EQ(ReadTestData("testing/testdata/hello.txt"),
            std::string("hello\0world\n", 12));
}

TEST(TestDataTest, NamesAMissingFileAndFailsTheTest) {
  EXPECT_NONFATAL_FAILURE(
      EXPECT_EQ(ReadTestData("testing/testdata/no such file"), ""),
      "testing/testdata/no such file");
}

}  // namespace
}  // namespace external_containerizer

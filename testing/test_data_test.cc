// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/test_data.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

TEST(TestDataTest, FindsFilesFromTheTopOfTheProject) {
  EXPECT_EQ(ReadTestData("testing/testdata/hello.txt"),
            std::string("hello\0world\n", 12));
}

class Environment {
 public:
  explicit Environment(const char* name) : name_(name), value_(getenv(name)) {}
  ~Environment() { setenv(name_, value_.c_str(), 1); }
  void Set(const std::string& value) { setenv(name_, value.c_str(), 1); }

 private:
  const char* name_;
  std::string value_;
};

TEST(TestDataTest, FindsFilesWhereverTheProjectIsEmbedded) {
  Environment root("TEST_SRCDIR");
  Environment workspace("TEST_WORKSPACE");
  root.Set(::testing::TempDir());
  workspace.Set("embedder");
  // The one that wins is last.
  for (const char* name : {"_main", "embedder", "external_containerizer"}) {
    const std::string directory = ::testing::TempDir() + "/" + name;
    ASSERT_EQ(mkdir(directory.c_str(), 0700), 0) << strerror(errno);
    std::ofstream(directory + "/file") << name;
    EXPECT_EQ(ReadTestData("file"), name);
  }
}

TEST(TestDataTest, NamesAMissingFileAndFailsTheTest) {
  EXPECT_NONFATAL_FAILURE(
      EXPECT_EQ(ReadTestData("testing/testdata/no such file"), ""),
      "testing/testdata/no such file");
}

TEST(TestDataTest, HexIsDigitsAndSpaces) {
  EXPECT_EQ(FromHex("00 ff7F"), std::string("\0\xff\x7f", 3));
  EXPECT_EQ(FromHex(""), "");
}

}  // namespace
}  // namespace external_containerizer

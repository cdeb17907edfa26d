// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/small_files.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

class SmallFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string directory = ::testing::TempDir() + "/small_XXXXXX";
    ASSERT_NE(mkdtemp(directory.data()), nullptr);
    path_ = directory + "/file";
  }

  void Fill(const std::string& text) { std::ofstream(path_) << text; }

  std::string path_;
};

TEST_F(SmallFilesTest, WhatIsThereIsReadUpToTheLimit) {
  EXPECT_EQ(ReadSmallFile(path_), std::nullopt);
  EXPECT_EQ(errno, ENOENT);
  Fill(std::string(10000, 'x'));
  EXPECT_EQ(ReadSmallFile(path_)->size(), 10000u);
  EXPECT_EQ(ReadSmallFile(path_, 5000)->size(), 5000u);
  EXPECT_EQ(ReadSmallFile(path_, 1), "x");
}

TEST_F(SmallFilesTest, AFifoDoesNotBlock) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(ReadSmallFile(path_), "");
}

TEST_F(SmallFilesTest, ANumberIsOnlyANumber) {
  Fill("18446744073709551615\n");
  EXPECT_EQ(ReadNumber(path_), UINT64_MAX);
  Fill("max\n");
  EXPECT_EQ(ReadNumber(path_), std::nullopt);
  EXPECT_EQ(errno, 0);
  Fill("");
  EXPECT_EQ(ReadNumber(path_), std::nullopt);
}

TEST_F(SmallFilesTest, AKeyIsAWholeWord) {
  const std::string text = "oom 1\noom_kill 22\nfile_mapped x\nanon 4096";
  EXPECT_EQ(NumberAfter(text, "oom"), 1u);
  EXPECT_EQ(NumberAfter(text, "oom_kill"), 22u);
  EXPECT_EQ(NumberAfter(text, "file_mapped"), std::nullopt);
  EXPECT_EQ(NumberAfter(text, "file"), std::nullopt);
  EXPECT_EQ(NumberAfter(text, "anon"), 4096u);
}

TEST_F(SmallFilesTest, WritingMakesNoFileAndFollowsNoLink) {
  EXPECT_EQ(WriteSmallFile(path_, "1"), ENOENT);
  Fill("123");
  EXPECT_EQ(WriteSmallFile(path_, "9"), 0);
  EXPECT_EQ(ReadSmallFile(path_), "923");
  const std::string link = path_ + "_link";
  ASSERT_EQ(symlink(path_.c_str(), link.c_str()), 0);
  EXPECT_EQ(WriteSmallFile(link, "1"), ELOOP);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

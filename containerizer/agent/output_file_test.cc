// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/output_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/random_name.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

class OutputFileTest : public ::testing::Test {
 protected:
  OutputFileTest() : path_(::testing::TempDir() + "/" + RandomName()) {
    EXPECT_THAT(MakePath(path_), IsOk());
    directory_ = UniqueFd(open(path_.c_str(), O_DIRECTORY | O_CLOEXEC));
  }

  std::string Path(const std::string& name) { return path_ + "/" + name; }

  void Append(const std::string& text) {
    std::ofstream(Path("stdout"), std::ios::app | std::ios::binary) << text;
  }

  std::string path_;
  UniqueFd directory_;
};

TEST_F(OutputFileTest, GivesWhatIsNewEachTime) {
  OutputFile file(directory_.get(), "stdout");
  EXPECT_THAT(file.Read(100), IsOkAndHolds(""));
  Append("one");
  EXPECT_THAT(file.Read(100), IsOkAndHolds("one"));
  EXPECT_THAT(file.Read(100), IsOkAndHolds(""));
  Append(std::string("\0two", 4));
  EXPECT_THAT(file.Read(100), IsOkAndHolds(std::string("\0two", 4)));
}

TEST_F(OutputFileTest, GivesNoMoreThanAskedFor) {
  OutputFile file(directory_.get(), "stdout");
  Append("abcdef");
  EXPECT_EQ(file.Unread(), 0u);
  EXPECT_THAT(file.Read(4), IsOkAndHolds("abcd"));
  EXPECT_EQ(file.Unread(), 2u);
  EXPECT_THAT(file.Read(4), IsOkAndHolds("ef"));
}

TEST_F(OutputFileTest, TruncatedFileIsReadFromItsBeginning) {
  OutputFile file(directory_.get(), "stdout");
  Append("abcdef");
  EXPECT_THAT(file.Read(100), IsOkAndHolds("abcdef"));
  ASSERT_EQ(truncate(Path("stdout").c_str(), 0), 0);
  Append("xy");
  EXPECT_THAT(file.Read(100), IsOkAndHolds("xy"));
}

TEST_F(OutputFileTest, ReplacedFileIsFinishedFirst) {
  OutputFile file(directory_.get(), "stdout");
  Append("a");
  EXPECT_THAT(file.Read(100), IsOkAndHolds("a"));
  Append("b");
  ASSERT_EQ(rename(Path("stdout").c_str(), Path("stdout.1").c_str()), 0);
  Append("c");
  EXPECT_THAT(file.Read(100), IsOkAndHolds("b"));
  EXPECT_THAT(file.Read(100), IsOkAndHolds("c"));
}

TEST_F(OutputFileTest, LinksAreNotShown) {
  std::ofstream(Path("secret")) << "secret";
  OutputFile file(directory_.get(), "stdout");
  ASSERT_EQ(symlink("secret", Path("stdout").c_str()), 0);
  EXPECT_THAT(file.Read(100), StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_EQ(unlink(Path("stdout").c_str()), 0);
  ASSERT_EQ(link(Path("secret").c_str(), Path("stdout").c_str()), 0);
  EXPECT_THAT(file.Read(100), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(OutputFileTest, LinkPutInPlaceOfTheFileIsNotShown) {
  std::ofstream(Path("secret")) << "secret";
  OutputFile file(directory_.get(), "stdout");
  Append("a");
  EXPECT_THAT(file.Read(100), IsOkAndHolds("a"));
  ASSERT_EQ(unlink(Path("stdout").c_str()), 0);
  ASSERT_EQ(symlink("secret", Path("stdout").c_str()), 0);
  EXPECT_THAT(file.Read(100), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(OutputFileTest, WhatIsNoFileDoesNotBlock) {
  OutputFile file(directory_.get(), "stdout");
  ASSERT_EQ(mkfifo(Path("stdout").c_str(), 0600), 0);
  EXPECT_THAT(file.Read(100), StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_EQ(unlink(Path("stdout").c_str()), 0);
  ASSERT_EQ(mkdir(Path("stdout").c_str(), 0700), 0);
  EXPECT_THAT(file.Read(100), StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace external_containerizer

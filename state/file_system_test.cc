// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/file_system.h"

#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

using ::testing::Eq;
using ::testing::Optional;

class FileSystemTest : public ::testing::Test {
 protected:
  FileSystemTest() { files_ = std::move(*OpenFileSystem(directory_.path())); }

  TemporaryDirectory directory_;
  std::unique_ptr<FileSystem> files_;
};

TEST_F(FileSystemTest, AFileIsMadeAndRead) {
  ASSERT_THAT(files_->MakeFile("f", "az", 0600), IsOk());
  EXPECT_THAT(files_->ReadFile("f", 10), IsOkAndHolds(Optional(Eq("az"))));
  EXPECT_THAT(files_->ReadFile("g", 10), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(files_->ReadFile("f", 1), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(FileSystemTest, WhatIsThereIsNotMadeAgain) {
  const auto exists = StatusIs(absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(files_->MakeDirectory("d"), IsOk());
  EXPECT_THAT(files_->MakeDirectory("d"), exists);
  EXPECT_THAT(files_->MakeFile("d", "", 0600), exists);
  EXPECT_THAT(files_->MakeLink("x", "d"), exists);
  EXPECT_THAT(files_->MakeDirectory("none/d"),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(FileSystemTest, ARenameReplacesLinksAndFiles) {
  ASSERT_THAT(files_->MakeLink("old", "l"), IsOk());
  ASSERT_THAT(files_->MakeLink("new", "l.tmp"), IsOk());
  EXPECT_THAT(files_->Rename("l.tmp", "l"), IsOk());
  char target[8];
  ASSERT_EQ(readlink((directory_ / "l").c_str(), target, 8), 3);
  EXPECT_EQ(std::string(target, 3), "new");
  EXPECT_THAT(files_->SyncDirectory("."), IsOk());
  EXPECT_THAT(files_->Remove("l"), IsOk());
  EXPECT_THAT(files_->Remove("l"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(FileSystemTest, NoLinkLeadsAnywhere) {
  TemporaryDirectory elsewhere;
  WriteFile(elsewhere / "f", "theirs");
  ASSERT_EQ(symlink(elsewhere.path().c_str(), (directory_ / "l").c_str()), 0);
  const auto before = Snapshot(elsewhere.path());
  EXPECT_FALSE(files_->MakeFile("l/g", "", 0600).ok());
  EXPECT_FALSE(files_->MakeDirectory("l/d").ok());
  EXPECT_FALSE(files_->MakeLink("x", "l/l").ok());
  EXPECT_FALSE(files_->Remove("l/f").ok());
  EXPECT_FALSE(files_->Rename("l/f", "f").ok());
  EXPECT_FALSE(files_->ReadFile("l/f", 10).ok());
  EXPECT_FALSE(files_->SyncDirectory("l").ok());
  EXPECT_FALSE(files_->MakeFile("../g", "", 0600).ok());
  EXPECT_TRUE(before == Snapshot(elsewhere.path()));
}

TEST_F(FileSystemTest, AFifoIsNotRead) {
  ASSERT_EQ(mkfifo((directory_ / "p").c_str(), 0600), 0);
  EXPECT_THAT(files_->ReadFile("p", 10), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(FileSystemTest, AMissingRootIsAnError) {
  EXPECT_THAT(OpenFileSystem(directory_ / "none").status(),
              StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer

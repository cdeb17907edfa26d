// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/model_file_system_testing.h"

#include <set>
#include <string>

#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

TEST(ModelFileSystemTest, WhatIsNotSyncedMayBeLost) {
  ModelFileSystem files;
  ASSERT_THAT(files.MakeDirectory("d"), IsOk());
  EXPECT_THAT(files.AfterCrash(),
              UnorderedElementsAre(Image(), Image{{"d", "d"}}));
  ASSERT_THAT(files.SyncDirectory("."), IsOk());
  EXPECT_THAT(files.AfterCrash(), ElementsAre(Image{{"d", "d"}}));
}

TEST(ModelFileSystemTest, ARenameMayComeBeforeTheDataOfTheFile) {
  ModelFileSystem files;
  auto file = files.MakeFile("t", 0600);
  ASSERT_THAT(file.status(), IsOk());
  ASSERT_THAT((*file)->Append("ab"), IsOk());
  ASSERT_THAT(files.Rename("t", "f"), IsOk());
  const Image whole = {{"f", "fab"}};
  const Image empty = {{"f", "f"}};
  const Image half = {{"f", "fa"}};
  const Image zeros = {{"f", std::string("f\0\0", 3)}};
  const std::set<Image> images = files.AfterCrash();
  for (const Image& image : {whole, empty, half, zeros, Image()}) {
    EXPECT_THAT(images, Contains(image));
  }
  ASSERT_THAT((*file)->Sync(), IsOk());
  EXPECT_THAT(files.AfterCrash(), Not(Contains(empty)));
  EXPECT_THAT(files.AfterCrash(), Contains(Image()));
}

TEST(ModelFileSystemTest, ChangesInDifferentDirectoriesAreReordered) {
  ModelFileSystem files;
  ASSERT_THAT(files.MakeDirectory("a"), IsOk());
  ASSERT_THAT(files.MakeDirectory("b"), IsOk());
  ASSERT_THAT(files.SyncDirectory("."), IsOk());
  ASSERT_THAT(files.MakeLink("x", "a/1"), IsOk());
  ASSERT_THAT(files.MakeLink("x", "b/2"), IsOk());
  const std::set<Image> images = files.AfterCrash();
  EXPECT_EQ(images.size(), 4u);
  EXPECT_THAT(images, Contains(Image{{"a", "d"}, {"b", "d"}, {"b/2", "lx"}}));
}

TEST(ModelFileSystemTest, AnOperationFailsWhenItIsToldTo) {
  ModelFileSystem files;
  auto file = files.MakeFile("f", 0600);
  ASSERT_THAT(file.status(), IsOk());
  files.Fail(1, absl::ResourceExhaustedError("full"));
  EXPECT_THAT((*file)->Append("abcd"),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(files.Now(), ElementsAre(Pair("f", "fab")));
  EXPECT_THAT((*file)->Append("!"), IsOk());
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer

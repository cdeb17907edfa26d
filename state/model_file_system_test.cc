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

TEST(ModelFileSystemTest, WhileAFileIsMadeAnyPartOfItMayBeThere) {
  ModelFileSystem files;
  std::set<Image> images;
  files.OnChange([&] {
    const std::set<Image> now = files.AfterCrash();
    images.insert(now.begin(), now.end());
  });
  ASSERT_THAT(files.MakeFile("t", "ab", 0600), IsOk());
  const Image whole = {{"t", "fab"}};
  const Image empty = {{"t", "f"}};
  const Image half = {{"t", "fa"}};
  const Image zeros = {{"t", std::string("f\0\0", 3)}};
  for (const Image& image : {whole, empty, half, zeros, Image()}) {
    EXPECT_THAT(images, Contains(image));
  }
  EXPECT_THAT(files.AfterCrash(), UnorderedElementsAre(Image(), whole));
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
  files.Fail(1, absl::ResourceExhaustedError("full"));
  EXPECT_THAT(files.MakeFile("f", "abcd", 0600),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(files.Now(), ElementsAre(Pair("f", "fab")));
  EXPECT_THAT(files.MakeFile("g", "!", 0600), IsOk());
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer

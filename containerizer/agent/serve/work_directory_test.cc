// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/work_directory.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;

TEST(WorkDirectoryTest, ItIsMadeWithAPlaceForTheTransportOnly) {
  const state::TemporaryDirectory place;
  const auto lock = TakeWorkDirectory(place / "a/b");
  ASSERT_THAT(lock, IsOk());
  struct stat status;
  ASSERT_EQ(stat((place / "a/b/transport").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
}

TEST(WorkDirectoryTest, OneAgentAtATimeHasIt) {
  const state::TemporaryDirectory place;
  {
    const auto first = TakeWorkDirectory(place.path());
    ASSERT_THAT(first, IsOk());
    EXPECT_THAT(TakeWorkDirectory(place.path()),
                StatusIs(absl::StatusCode::kAlreadyExists,
                         HasSubstr("another agent runs")));
  }
  EXPECT_THAT(TakeWorkDirectory(place.path()), IsOk());
}

TEST(WorkDirectoryTest, OneThatOthersCanWriteToIsRefused) {
  const state::TemporaryDirectory place;
  ASSERT_EQ(chmod(place.path().c_str(), 0777), 0);
  EXPECT_THAT(
      TakeWorkDirectory(place.path()),
      StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("chmod go-w")));
}

TEST(WorkDirectoryTest, OneOfAnotherUserIsRefused) {
  const state::TemporaryDirectory place;
  if (chown(place.path().c_str(), 65534, 65534) != 0) {
    GTEST_SKIP() << "cannot give a directory away: " << strerror(errno);
  }
  EXPECT_THAT(TakeWorkDirectory(place.path()),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       HasSubstr("belongs to the user with id 65534")));
}

TEST(WorkDirectoryTest, AFileIsNoPlaceForIt) {
  const state::TemporaryDirectory place;
  state::WriteFile(place / "file", "");
  EXPECT_FALSE(TakeWorkDirectory(place / "file").ok());
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/open_beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "external_containerizer/state/tree_testing.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

class OpenBeneathTest : public ::testing::Test {
 protected:
  OpenBeneathTest()
      : root_(
            open(directory_.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    WriteFile(directory_ / "d/f", "x");
  }
  ~OpenBeneathTest() override { close(root_); }

  // The error, or 0.
  int Open(const std::string& path) {
    const int fd = OpenBeneath(root_, path, O_RDONLY);
    if (fd < 0) return errno;
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    return 0;
  }

  TemporaryDirectory directory_;
  const int root_;
};

TEST_F(OpenBeneathTest, APathOfDirectoriesAndAFileIsOpened) {
  EXPECT_EQ(Open("d"), 0);
  EXPECT_EQ(Open("d/f"), 0);
  EXPECT_EQ(Open("d/../d/f"), 0);
  EXPECT_EQ(Open("none"), ENOENT);
}

TEST_F(OpenBeneathTest, NothingLeadsOut) {
  EXPECT_EQ(Open(".."), EXDEV);
  EXPECT_EQ(Open("d/../.."), EXDEV);
  EXPECT_EQ(Open(directory_ / "d/f"), EXDEV);
}

TEST_F(OpenBeneathTest, NoLinkIsFollowedAnywhereInThePath) {
  ASSERT_EQ(symlink("f", (directory_ / "d/to_file").c_str()), 0);
  ASSERT_EQ(symlink("d", (directory_ / "to_d").c_str()), 0);
  EXPECT_EQ(Open("d/to_file"), ELOOP);
  EXPECT_EQ(Open("to_d/f"), ELOOP);
}

TEST_F(OpenBeneathTest, AFileIsMadeWithItsMode) {
  const int fd = OpenBeneath(root_, "d/new", O_WRONLY | O_CREAT | O_EXCL, 0600);
  ASSERT_GE(fd, 0);
  struct stat info;
  ASSERT_EQ(fstat(fd, &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  close(fd);
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer

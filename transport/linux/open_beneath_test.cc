// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/open_beneath.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

// Both ways must say the same.
class OpenBeneathTest
    : public ::testing::TestWithParam<decltype(&OpenBeneath)> {
 protected:
  OpenBeneathTest() {
    std::string name = ::testing::TempDir() + "/open_beneath.XXXXXX";
    path_ = mkdtemp(name.data());
    root_.Reset(open(path_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    EXPECT_EQ(mkdirat(root_.get(), "d", 0755), 0);
    EXPECT_TRUE(
        UniqueFd(openat(root_.get(), "d/f", O_WRONLY | O_CREAT, 0644)).valid());
  }

  // The error, or 0.
  int Open(const std::string& path, int flags = O_RDONLY,
           Mounts mounts = Mounts::kEnter) {
    const UniqueFd fd = GetParam()(root_.get(), path, flags, 0, mounts);
    if (!fd.valid()) return errno;
    EXPECT_EQ(fcntl(fd.get(), F_GETFD), FD_CLOEXEC);
    return 0;
  }

  std::string path_;
  UniqueFd root_;
};

TEST_P(OpenBeneathTest, APathOfDirectoriesAndAFileIsOpened) {
  EXPECT_EQ(Open("d"), 0);
  EXPECT_EQ(Open("d/"), 0);
  EXPECT_EQ(Open("d//f"), 0);
  EXPECT_EQ(Open("./d/f"), 0);
  EXPECT_EQ(Open("."), 0);
  EXPECT_EQ(Open("d/f", O_PATH), 0);
  EXPECT_EQ(Open("d", O_RDONLY | O_DIRECTORY), 0);
}

TEST_P(OpenBeneathTest, WhatIsNotThereHasItsUsualError) {
  EXPECT_EQ(Open("none"), ENOENT);
  EXPECT_EQ(Open(""), ENOENT);
  EXPECT_EQ(Open("none/f"), ENOENT);
  EXPECT_EQ(Open("d/f/g"), ENOTDIR);
  EXPECT_EQ(Open("d/f/"), ENOTDIR);
  EXPECT_EQ(Open("d/f", O_RDONLY | O_DIRECTORY), ENOTDIR);
}

TEST_P(OpenBeneathTest, NothingLeadsOut) {
  EXPECT_EQ(Open(".."), EXDEV);
  EXPECT_EQ(Open("d/../.."), EXDEV);
  EXPECT_EQ(Open("d/../d/f"), EXDEV);
  EXPECT_EQ(Open(path_ + "/d/f"), EXDEV);
  EXPECT_EQ(Open("/"), EXDEV);
}

TEST_P(OpenBeneathTest, NoLinkIsFollowedAnywhereInThePath) {
  ASSERT_EQ(symlinkat("f", root_.get(), "d/to_file"), 0);
  ASSERT_EQ(symlinkat("d", root_.get(), "to_d"), 0);
  for (const int flags :
       {O_RDONLY, O_PATH, O_RDONLY | O_DIRECTORY, O_WRONLY | O_APPEND}) {
    EXPECT_EQ(Open("d/to_file", flags), ELOOP) << flags;
    EXPECT_EQ(Open("to_d", flags), ELOOP) << flags;
    EXPECT_EQ(Open("to_d/f", flags), ELOOP) << flags;
  }
}

TEST_P(OpenBeneathTest, AFileIsMadeWithItsMode) {
  const UniqueFd made = GetParam()(
      root_.get(), "d/new", O_WRONLY | O_CREAT | O_EXCL, 0600, Mounts::kRefuse);
  ASSERT_TRUE(made.valid());
  struct stat info;
  ASSERT_EQ(fstat(made.get(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

TEST_P(OpenBeneathTest, AMountIsEnteredOnlyIfThatIsAllowed) {
  EXPECT_EQ(Open("d/f", O_RDONLY, Mounts::kRefuse), 0);
  root_.Reset(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  EXPECT_EQ(Open("proc/self/stat"), ELOOP);
  EXPECT_EQ(Open("proc/stat"), 0);
  EXPECT_EQ(Open("proc/stat", O_RDONLY, Mounts::kRefuse), EXDEV);
  EXPECT_EQ(Open("proc", O_PATH, Mounts::kRefuse), EXDEV);
}

INSTANTIATE_TEST_SUITE_P(, OpenBeneathTest,
                         ::testing::Values(&OpenBeneath, &OpenBeneathStepwise),
                         [](const auto& parameter) {
                           return parameter.index == 0 ? "Openat2" : "Stepwise";
                         });

}  // namespace
}  // namespace external_containerizer

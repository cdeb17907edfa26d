// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/sandbox.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::HasSubstr;

class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = ::testing::TempDir() + "/sandbox_XXXXXX";
    ASSERT_NE(mkdtemp(path_.data()), nullptr);
    absl::StatusOr<UniqueFd> sandbox = OpenSandbox(path_);
    ASSERT_THAT(sandbox, IsOk());
    sandbox_ = *std::move(sandbox);
    victim_ = ::testing::TempDir() + "/victim_XXXXXX";
    const int fd = mkstemp(victim_.data());
    ASSERT_GE(fd, 0);
    ASSERT_EQ(write(fd, "precious", 8), 8);
    close(fd);
  }

  static std::string Read(const std::string& path) {
    std::ostringstream contents;
    contents << std::ifstream(path).rdbuf();
    return contents.str();
  }

  std::string path_;
  std::string victim_;
  UniqueFd sandbox_;
};

TEST_F(SandboxTest, AFileIsMadeAndLaterAppendedTo) {
  for (int i = 0; i < 2; ++i) {
    absl::StatusOr<UniqueFd> fd =
        OpenForAppending(sandbox_.get(), path_, "stdout");
    ASSERT_THAT(fd, IsOk());
    EXPECT_EQ(write(fd->get(), "ab", 2), 2);
    EXPECT_EQ(fcntl(fd->get(), F_GETFL) & O_NONBLOCK, 0);
  }
  EXPECT_EQ(Read(path_ + "/stdout"), "abab");
}

TEST_F(SandboxTest, ASymbolicLinkIsNotFollowed) {
  ASSERT_EQ(symlink(victim_.c_str(), (path_ + "/stderr").c_str()), 0);
  EXPECT_THAT(OpenForAppending(sandbox_.get(), path_, "stderr"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr(path_ + "/stderr")));
  ASSERT_EQ(symlink("/nonexistent-target", (path_ + "/new").c_str()), 0);
  EXPECT_THAT(OpenForAppending(sandbox_.get(), path_, "new"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(Read(victim_), "precious");
}

TEST_F(SandboxTest, AHardLinkIsRefused) {
  ASSERT_EQ(link(victim_.c_str(), (path_ + "/stderr").c_str()), 0);
  EXPECT_THAT(
      OpenForAppending(sandbox_.get(), path_, "stderr"),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("hard link")));
  EXPECT_EQ(Read(victim_), "precious");
}

TEST_F(SandboxTest, AFifoADeviceOrADirectoryIsRefusedAtOnce) {
  ASSERT_EQ(mkfifo((path_ + "/fifo").c_str(), 0600), 0);
  ASSERT_EQ(mkdir((path_ + "/dir").c_str(), 0700), 0);
  EXPECT_THAT(OpenForAppending(sandbox_.get(), path_, "fifo"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("no regular file")));
  EXPECT_THAT(OpenForAppending(sandbox_.get(), path_, "dir"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  const UniqueFd reader(
      open((path_ + "/fifo").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  EXPECT_THAT(OpenForAppending(sandbox_.get(), path_, "fifo"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("no regular file")));
}

TEST_F(SandboxTest, ASandboxIsAnAbsolutePathToADirectory) {
  EXPECT_THAT(OpenSandbox(""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(OpenSandbox("relative"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(OpenSandbox(victim_),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(OpenSandbox("/no/such/dir"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("/no/such/dir")));
  const std::string link = path_ + "/link";
  ASSERT_EQ(symlink("/", link.c_str()), 0);
  EXPECT_THAT(OpenSandbox(link),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/unique_fd.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

bool IsOpen(int fd) { return fcntl(fd, F_GETFD) >= 0; }

int Open() { return open("/dev/null", O_RDONLY | O_CLOEXEC); }

TEST(UniqueFdTest, ClosesWhatItOwns) {
  const int fd = Open();
  {
    UniqueFd owner(fd);
    EXPECT_TRUE(owner.valid());
    EXPECT_EQ(owner.get(), fd);
  }
  EXPECT_FALSE(IsOpen(fd));
}

TEST(UniqueFdTest, MovingLeavesNothingBehindAndClosesWhatWasThere) {
  UniqueFd first(Open());
  UniqueFd second(Open());
  const int moved = first.get(), closed = second.get();
  second = std::move(first);
  EXPECT_FALSE(first.valid());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(second.get(), moved);
  EXPECT_TRUE(IsOpen(moved));
  EXPECT_FALSE(IsOpen(closed));
}

TEST(UniqueFdTest, ClosingLeavesErrnoAsItWas) {
  UniqueFd owner(Open());
  errno = ENOENT;
  close(owner.get());  // So that the second close fails.
  owner.Reset();
  EXPECT_EQ(errno, ENOENT);
}

}  // namespace
}  // namespace external_containerizer

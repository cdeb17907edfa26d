// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <string>
#include <thread>  // NOLINT
#include <utility>

#include "external_containerizer/transport/linux/unique_fd.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

// Each call opens the same directory anew, as another process would.
UniqueFd Open() {
  return UniqueFd(
      open(::testing::TempDir().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

TEST(FileLockTest, OneThatAnotherKeepsIsRefused) {
  UniqueFd first = Open();
  ASSERT_TRUE(TakeFileLock(first.get()));
  const UniqueFd second = Open();
  EXPECT_FALSE(TakeFileLock(second.get()));
  EXPECT_EQ(errno, EWOULDBLOCK);
  first = UniqueFd();
  EXPECT_TRUE(TakeFileLock(second.get()));
}

TEST(FileLockTest, OneThatIsGivenUpMeanwhileIsTaken) {
  UniqueFd first = Open();
  ASSERT_TRUE(TakeFileLock(first.get()));
  const UniqueFd second = Open();
  bool taken = false;
  std::thread waiting([&] { taken = TakeFileLock(second.get()); });
  first = UniqueFd();
  waiting.join();
  EXPECT_TRUE(taken);
}

TEST(FileLockTest, WhatCannotBeLockedIsAnErrorAtOnce) {
  EXPECT_FALSE(TakeFileLock(-1));
  EXPECT_EQ(errno, EBADF);
}

}  // namespace
}  // namespace external_containerizer

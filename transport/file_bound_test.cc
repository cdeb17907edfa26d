// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/file_bound.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

constexpr size_t kMiB = 1 << 20;

class FileBoundTest : public ::testing::Test {
 protected:
  FileBoundTest() {
    std::string name = ::testing::TempDir() + "file_bound.XXXXXX";
    root_ = mkdtemp(name.data());
    directory_.Reset(open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }

  UniqueFd Append() const {
    return UniqueFd(openat(directory_.get(), "log",
                           O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  }
  static void Write(const UniqueFd& fd, const std::string& text) {
    ASSERT_EQ(write(fd.get(), text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
  }
  std::string Contents(const std::string& name) const {
    std::ifstream file(root_ + "/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string root_;
  UniqueFd directory_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
};

TEST_F(FileBoundTest, WhatIsThereFromEarlierIsPutAsideAtOnce) {
  const UniqueFd writer = Append();
  Write(writer, "begin" + std::string(kMiB - 3, 'x') + "end");
  const FileBound bound(*loop_, directory_.get(), "log");
  EXPECT_EQ(Contents("log"), "");
  EXPECT_EQ(Contents("log.old"), std::string(kMiB - 3, 'x') + "end");
}

TEST_F(FileBoundTest, WhatIsShortIsLeftAlone) {
  const UniqueFd writer = Append();
  const std::string text(kMiB - 1, 'x');
  Write(writer, text);
  const FileBound bound(*loop_, directory_.get(), "log");
  EXPECT_EQ(Contents("log"), text);
  EXPECT_EQ(Contents("log.old"), "");
}

TEST_F(FileBoundTest, OneWhoWritesForEverDoesNotFillTheDisk) {
  const FileBound bound(*loop_, directory_.get(), "log");
  const UniqueFd writer = Append();
  const std::string piece(100 << 10, 'x');
  size_t written = 0;
  size_t largest = 0;
  struct stat info;
  // As fast as the loop turns: far more than the bound.
  while (written < 200 * kMiB && largest < 150 * kMiB) {
    Write(writer, piece);
    written += piece.size();
    ASSERT_EQ(fstat(writer.get(), &info), 0);
    largest = std::max(largest, static_cast<size_t>(info.st_size));
    loop_->RunAfter(absl::Milliseconds(1), [this] { loop_->Stop(); });
    loop_->Run();
  }
  EXPECT_LT(largest, 150 * kMiB);
  Write(writer, "still heard\n");
  EXPECT_NE(Contents("log").find("still heard\n"), std::string::npos);
  ASSERT_EQ(stat((root_ + "/log.old").c_str(), &info), 0);
  EXPECT_LE(static_cast<size_t>(info.st_size), kMiB);
}

TEST_F(FileBoundTest, LinksAreNotFollowed) {
  Write(Append(), std::string(2 * kMiB, 'x'));
  ASSERT_EQ(rename((root_ + "/log").c_str(), (root_ + "/victim").c_str()), 0);
  ASSERT_EQ(symlink("victim", (root_ + "/log").c_str()), 0);
  const FileBound bound(*loop_, directory_.get(), "log");
  EXPECT_EQ(Contents("victim").size(), 2 * kMiB);
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/fork_exec/input_pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

// SIGPIPE is not ignored here: a test that raised it would not survive.

TEST(InputPipeTest, ASmallRecordIsInThePipeAtOnceAndThenEof) {
  UniqueFd reader;
  {
    const absl::StatusOr<InputPipe> pipe = InputPipe::Create("abc", &reader);
    ASSERT_TRUE(pipe.ok()) << pipe.status();
    EXPECT_TRUE(pipe->done());
  }
  char buffer[16];
  ASSERT_EQ(read(reader.get(), buffer, sizeof(buffer)), 7);
  EXPECT_EQ(std::string(buffer, 7), std::string("\3\0\0\0abc", 7));
  EXPECT_EQ(read(reader.get(), buffer, sizeof(buffer)), 0);
}

TEST(InputPipeTest, ALargeRecordFollowsAsItIsRead) {
  const std::string payload(300000, 'x');
  UniqueFd reader;
  absl::StatusOr<InputPipe> pipe = InputPipe::Create(payload, &reader);
  ASSERT_TRUE(pipe.ok()) << pipe.status();
  EXPECT_FALSE(pipe->done());
  EXPECT_EQ(fcntl(reader.get(), F_GETFL) & O_NONBLOCK, 0);
  std::string got;
  char buffer[70000];
  while (got.size() < payload.size() + 4) {
    const ssize_t size = read(reader.get(), buffer, sizeof(buffer));
    ASSERT_GT(size, 0);
    got.append(buffer, static_cast<size_t>(size));
    pipe->Write();
  }
  EXPECT_TRUE(pipe->done());
  EXPECT_EQ(got.substr(4), payload);
}

TEST(InputPipeTest, AReaderThatGoesAwayIsNoError) {
  UniqueFd reader;
  absl::StatusOr<InputPipe> pipe =
      InputPipe::Create(std::string(300000, 'x'), &reader);
  ASSERT_TRUE(pipe.ok()) << pipe.status();
  reader.Reset();
  pipe->Write();
  EXPECT_FALSE(pipe->done());
}

}  // namespace
}  // namespace external_containerizer

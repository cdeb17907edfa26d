// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/standard_output.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ExitedWithCode;

// Runs in a process of its own, since the first error is kept.
[[noreturn]] void PrintTo(int fd) {
  signal(SIGPIPE, SIG_IGN);
  dup2(fd, STDOUT_FILENO);
  const bool first = Print("one\n");
  const bool second = Print("two\n");
  if (first != second) _exit(1);
  _exit(OutputStatus(3));
}

TEST(StandardOutputTest, WhatIsTakenLeavesTheStatusAlone) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  EXPECT_EXIT(PrintTo(ends[1]), ExitedWithCode(3), "");
  char text[100];
  const ssize_t got = read(ends[0], text, sizeof(text));
  EXPECT_EQ(std::string(text, static_cast<size_t>(got)), "one\ntwo\n");
  close(ends[0]);
  close(ends[1]);
}

TEST(StandardOutputTest, AFullDiskIsSaidAndFails) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (full < 0) GTEST_SKIP() << "no /dev/full";
  EXPECT_EXIT(PrintTo(full), ExitedWithCode(kAgentFailed),
              "^agent: cannot write to stdout: No space left on device\n$");
  close(full);
}

TEST(StandardOutputTest, AReaderThatLeavesIsNoError) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  close(ends[0]);
  EXPECT_EXIT(PrintTo(ends[1]), ExitedWithCode(3), "^$");
  close(ends[1]);
}

}  // namespace
}  // namespace external_containerizer

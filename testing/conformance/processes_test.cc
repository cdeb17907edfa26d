// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/conformance/processes.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace conformance {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;

// A process whose parent has ended, in a session of its own; its id.
pid_t Orphan() {
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return -1;
  const pid_t parent = fork();
  if (parent == 0) {
    setsid();
    const pid_t child = fork();
    if (child == 0) {
      for (int number = 1; number < 32; ++number) signal(number, SIG_IGN);
      for (;;) pause();
    }
    _exit(write(pipe_ends[1], &child, sizeof(child)) == sizeof(child) ? 0 : 1);
  }
  pid_t orphan = -1;
  EXPECT_EQ(read(pipe_ends[0], &orphan, sizeof(orphan)),
            static_cast<ssize_t>(sizeof(orphan)));
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  EXPECT_EQ(waitpid(parent, nullptr, 0), parent);
  return orphan;
}

TEST(ProcessesTest, AnOrphanInAnotherSessionIsADescendantAndIsKilled) {
  ASSERT_THAT(AdoptDescendants(), IsOk());
  const pid_t orphan = Orphan();
  EXPECT_THAT(Descendants(), Contains(orphan));
  KillDescendants(Deadline(absl::Seconds(60)));
  EXPECT_THAT(Descendants(), IsEmpty());
  EXPECT_EQ(kill(orphan, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(ProcessesTest, OthersAreLeftAlone) {
  KillDescendants(Deadline(absl::Seconds(60)));
  EXPECT_EQ(kill(getppid(), 0), 0);
}

TEST(ProcessesTest, WhatHasEndedIsReapedAndNotCounted) {
  const pid_t child = fork();
  if (child == 0) _exit(0);
  siginfo_t info;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT),
            0);
  EXPECT_THAT(Descendants(), IsEmpty());
  KillDescendants(Deadline(absl::Seconds(60)));
  EXPECT_EQ(waitpid(child, nullptr, WNOHANG), -1);
}

}  // namespace
}  // namespace conformance
}  // namespace external_containerizer

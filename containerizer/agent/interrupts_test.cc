// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/interrupts.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "external_containerizer/testing/status_matchers.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

TEST(InterruptsTest, SignalsAreReadInsteadOfEndingTheProcess) {
  auto interrupts = Interrupts::Take();
  ASSERT_THAT(interrupts, IsOk());
  EXPECT_EQ(interrupts->Next(), 0);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2,
                           SIGALRM, SIGPROF, SIGRTMIN, SIGRTMAX}) {
    raise(number);
    EXPECT_EQ(interrupts->Next(), number);
  }
  EXPECT_EQ(interrupts->Next(), 0);
}

TEST(InterruptsTest, IgnoredSignalsStayIgnored) {
  ASSERT_NE(signal(SIGHUP, SIG_IGN), SIG_ERR);
  auto interrupts = Interrupts::Take();
  ASSERT_THAT(interrupts, IsOk());
  raise(SIGHUP);
  EXPECT_EQ(interrupts->Next(), 0);
  ASSERT_NE(signal(SIGHUP, SIG_DFL), SIG_ERR);
}

TEST(InterruptsTest, MaskIsGivenBack) {
  sigset_t before, after;
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &before), 0);
  { ASSERT_THAT(Interrupts::Take(), IsOk()); }
  ASSERT_EQ(pthread_sigmask(SIG_SETMASK, nullptr, &after), 0);
  EXPECT_EQ(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
  EXPECT_EQ(sigismember(&after, SIGTERM), 0);
}

TEST(InterruptsTest, WritingToAClosedPipeIsAnError) {
  ASSERT_THAT(Interrupts::Take(), IsOk());
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EQ(write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  close(ends[1]);
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/pidfd.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

// A child that lives until it is killed, unless `exit_status` is given.
pid_t Fork(std::optional<int> exit_status = std::nullopt) {
  const pid_t child = fork();
  if (child == 0) {
    if (exit_status.has_value()) _exit(*exit_status);
    for (;;) pause();
  }
  return child;
}

TEST(PidfdTest, ItIsClosedOnExec) {
  const UniqueFd self = OpenPidfd(getpid());
  ASSERT_TRUE(self.valid());
  EXPECT_EQ(fcntl(self.get(), F_GETFD), FD_CLOEXEC);
}

TEST(PidfdTest, ASignalReachesTheProcessAndItsEndIsSeen) {
  const UniqueFd child = OpenPidfd(Fork());
  ASSERT_TRUE(child.valid());
  std::optional<int> status;
  EXPECT_FALSE(HasEnded(child.get()));
  EXPECT_FALSE(AwaitEnd(child.get(), Deadline(absl::Milliseconds(5))));
  EXPECT_EQ(Reap(child.get(), &status), ProcessState::kRunning);
  EXPECT_EQ(status, std::nullopt);
  EXPECT_TRUE(SendSignal(child.get(), SIGTERM));
  EXPECT_TRUE(AwaitEnd(child.get(), Deadline(kPatience)));
  EXPECT_TRUE(HasEnded(child.get()));
  EXPECT_EQ(Reap(child.get(), &status), ProcessState::kEnded);
  EXPECT_EQ(status, SIGTERM);
}

TEST(PidfdTest, AChildIsReapedOnce) {
  const UniqueFd child = OpenPidfd(Fork(7));
  ASSERT_TRUE(AwaitEnd(child.get(), Deadline(kPatience)));
  std::optional<int> status;
  EXPECT_EQ(Reap(child.get(), &status), ProcessState::kEnded);
  EXPECT_EQ(status, W_EXITCODE(7, 0));
  status.reset();
  EXPECT_EQ(Reap(child.get(), &status), ProcessState::kReaped);
  EXPECT_EQ(status, std::nullopt);
}

TEST(PidfdTest, WhatIsReapedGetsNoSignalAndNoDescriptor) {
  const pid_t pid = Fork(0);
  const UniqueFd child = OpenPidfd(pid);
  ASSERT_EQ(waitpid(pid, nullptr, 0), pid);
  EXPECT_FALSE(SendSignal(child.get(), SIGKILL));
  EXPECT_EQ(errno, ESRCH);
  EXPECT_FALSE(OpenPidfd(pid).valid());
  EXPECT_EQ(errno, ESRCH);
}

TEST(PidfdTest, TheReceiverIsToldWhatTheSenderGives) {
  sigset_t wanted;
  sigemptyset(&wanted);
  sigaddset(&wanted, SIGUSR1);
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &wanted, nullptr), 0);
  const UniqueFd self = OpenPidfd(getpid());
  siginfo_t info = {};
  info.si_signo = SIGUSR1;
  info.si_code = SI_QUEUE;
  info.si_value.sival_int = 42;
  ASSERT_TRUE(SendSignal(self.get(), SIGUSR1, &info));
  siginfo_t received = {};
  ASSERT_EQ(sigwaitinfo(&wanted, &received), SIGUSR1);
  EXPECT_EQ(received.si_value.sival_int, 42);
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/thread.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "external_containerizer/testing/no_threads.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

TEST(ThreadTest, JoinWaitsForTheEndOfTheWork) {
  bool ran = false;
  pthread_t where = pthread_self();
  Thread thread;
  ASSERT_TRUE(thread
                  .Start("test",
                         [&] {
                           ran = true;
                           where = pthread_self();
                         })
                  .ok());
  thread.Join();
  EXPECT_TRUE(ran);
  EXPECT_FALSE(pthread_equal(where, pthread_self()));
  EXPECT_FALSE(thread.started());
}

TEST(ThreadTest, TheDestructorJoins) {
  bool ran = false;
  {
    Thread thread;
    ASSERT_TRUE(thread.Start("test", [&] { ran = true; }).ok());
  }
  EXPECT_TRUE(ran);
}

TEST(ThreadTest, ItCanBeStartedAgainWhenItWasJoined) {
  int runs = 0;
  Thread thread;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(thread.Start("test", [&] { ++runs; }).ok());
    thread.Join();
  }
  EXPECT_EQ(runs, 2);
}

TEST(ThreadTest, AMovedThreadIsJoinedByItsNewOwner) {
  bool ran = false;
  Thread last;
  {
    Thread first;
    ASSERT_TRUE(first.Start("test", [&] { ran = true; }).ok());
    last = std::move(first);
  }
  last.Join();
  EXPECT_TRUE(ran);
}

TEST(ThreadTest, TheWorkIsDestroyedBeforeJoinReturns) {
  auto held = std::make_shared<int>();
  const std::weak_ptr<int> watched = held;
  Thread thread;
  ASSERT_TRUE(thread.Start("test", [held = std::move(held)] {}).ok());
  thread.Join();
  EXPECT_TRUE(watched.expired());
}

bool IsBlocked(Thread::Signals signals) {
  sigset_t blocked;
  sigemptyset(&blocked);
  Thread thread;
  EXPECT_TRUE(thread
                  .Start(
                      "test",
                      [&] { pthread_sigmask(SIG_BLOCK, nullptr, &blocked); },
                      signals)
                  .ok());
  thread.Join();
  return sigismember(&blocked, SIGTERM) == 1;
}

TEST(ThreadTest, SignalsAreForTheThreadOnlyIfAskedFor) {
  EXPECT_TRUE(IsBlocked(Thread::Signals::kBlocked));
  EXPECT_FALSE(IsBlocked(Thread::Signals::kAsCaller));
}

TEST(ThreadTest, ItsNameIsCutToWhatTheKernelKeeps) {
  char name[16] = "";
  Thread thread;
  ASSERT_TRUE(
      thread
          .Start(
              "a name that is too long",
              [&] { pthread_getname_np(pthread_self(), name, sizeof(name)); })
          .ok());
  thread.Join();
  EXPECT_STREQ(name, "a name that is ");
}

// In a process of its own, which cannot make threads any more.
[[noreturn]] void StartWithoutThreads() {
  ForbidThreads();
  auto held = std::make_shared<int>();
  const std::weak_ptr<int> watched = held;
  Thread thread;
  const absl::Status status = thread.Start("test", [held = std::move(held)] {});
  const bool good = absl::IsResourceExhausted(status) && !thread.started() &&
                    watched.expired() &&
                    absl::StrContains(status.message(), "ulimit -u");
  _exit(good ? 0 : 5);
}

TEST(ThreadTest, WithoutThreadsStartFailsAndSaysWhatToDo) {
  const pid_t child = fork();
  if (child == 0) StartWithoutThreads();
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace external_containerizer

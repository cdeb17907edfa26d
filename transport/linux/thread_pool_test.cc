// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/thread_pool.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "absl/synchronization/barrier.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "external_containerizer/testing/no_threads.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;

TEST(ThreadPoolTest, WorkRunsOnAnotherThread) {
  ThreadPool pool("test", 2);
  pthread_t where = pthread_self();
  absl::Notification done;
  pool.Run([&] {
    where = pthread_self();
    done.Notify();
  });
  done.WaitForNotification();
  EXPECT_FALSE(pthread_equal(where, pthread_self()));
}

TEST(ThreadPoolTest, AsMuchRunsAtOnceAsThereMayBeThreads) {
  ThreadPool pool("test", 3);
  // Deleted by the last that passes; nobody passes before all are there.
  auto* barrier = new absl::Barrier(3);
  for (int i = 0; i < 3; ++i) {
    pool.Run([barrier] {
      if (barrier->Block()) delete barrier;
    });
  }
}

TEST(ThreadPoolTest, NoMoreRunsAtOnceThanThereMayBeThreads) {
  std::atomic<int> running{0}, most{0};
  {
    ThreadPool pool("test", 2);
    for (int i = 0; i < 1000; ++i) {
      pool.Run([&] {
        const int now = ++running;
        if (now > most) most = now;
        --running;
      });
    }
  }
  EXPECT_LE(most, 2);
}

TEST(ThreadPoolTest, OneThreadKeepsTheOrder) {
  std::vector<int> order;
  {
    ThreadPool pool("test", 1);
    for (int i = 0; i < 4; ++i) pool.Run([&order, i] { order.push_back(i); });
  }
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
}

TEST(ThreadPoolTest, TheDestructorDoesWhatIsLeftAndWhatThatAdds) {
  int done = 0;
  {
    ThreadPool pool("test", 1);
    for (int i = 0; i < 100; ++i) {
      pool.Run([&] { pool.Run([&] { ++done; }); });
    }
  }
  EXPECT_EQ(done, 100);
}

TEST(ThreadPoolTest, StopWaitsForWhatHasBegunAndForgetsTheRest) {
  ThreadPool pool("test", 1);
  absl::Notification begun, go_on;
  bool ended = false;
  pool.Run([&] {
    begun.Notify();
    go_on.WaitForNotification();
    ended = true;
  });
  begun.WaitForNotification();
  std::atomic<bool> ran{false};
  auto forgotten = std::make_shared<int>();
  const std::weak_ptr<int> watched = forgotten;
  // Lets the first go on only when it is itself forgotten, by Stop().
  std::shared_ptr<void> release(nullptr, [&](void*) { go_on.Notify(); });
  pool.Run([&ran, release = std::move(release),
            forgotten = std::move(forgotten)] { ran = true; });
  pool.Stop();
  EXPECT_TRUE(ended);
  EXPECT_TRUE(watched.expired());
  pool.Run([&ran] { ran = true; });
  EXPECT_FALSE(ran);
}

bool IsBlocked(Thread::Signals signals) {
  sigset_t blocked;
  sigemptyset(&blocked);
  {
    ThreadPool pool("test", 1, signals);
    pool.Run([&] { pthread_sigmask(SIG_BLOCK, nullptr, &blocked); });
  }
  return sigismember(&blocked, SIGTERM) == 1;
}

TEST(ThreadPoolTest, SignalsAreForTheThreadsOnlyIfAskedFor) {
  EXPECT_TRUE(IsBlocked(Thread::Signals::kBlocked));
  EXPECT_FALSE(IsBlocked(Thread::Signals::kAsCaller));
}

TEST(ThreadPoolTest, WithoutThreadsTheCallerDoesTheWork) {
  ThreadPool pool("test", 0);
  bool ran = false;
  ThreadPool::Work work = [&] { ran = true; };
  EXPECT_FALSE(pool.TryRun(std::move(work)));
  EXPECT_FALSE(ran);
  pool.Run(std::move(work));
  EXPECT_TRUE(ran);
}

// In a process of its own, which cannot make threads any more.
[[noreturn]] void RunAtTheLimit() {
  ThreadPool pool("test", 8);
  absl::Notification release;
  pool.Run([&] { release.WaitForNotification(); });
  ForbidThreads();
  // It has to wait for the one thread that there is.
  std::atomic<bool> ran{false};
  pool.Run([&] { ran = true; });
  if (ran) _exit(5);
  release.Notify();
  absl::Notification done;
  pool.Run([&] { done.Notify(); });
  done.WaitForNotification();
  if (!ran) _exit(6);
  ThreadPool other("test", 8);
  bool ran_here = false;
  other.Run([&] { ran_here = true; });
  _exit(ran_here ? 0 : 7);
}

TEST(ThreadPoolTest, AtTheLimitOfThreadsWorkWaitsForThoseThatThereAre) {
  const pid_t child = fork();
  if (child == 0) RunAtTheLimit();
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/fork_exec/starter_threads.h"

#include <signal.h>

#include <atomic>
#include <memory>
#include <thread>  // NOLINT(build/c++11)
#include <utility>
#include <vector>

#include "absl/synchronization/barrier.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;

TEST(StarterThreadsTest, WorkRunsOnAnotherThread) {
  StarterThreads threads(2);
  std::thread::id where;
  absl::Notification done;
  threads.Run([&] {
    where = std::this_thread::get_id();
    done.Notify();
  });
  done.WaitForNotification();
  EXPECT_NE(where, std::this_thread::get_id());
}

TEST(StarterThreadsTest, AsMuchRunsAtOnceAsThereAreThreads) {
  StarterThreads threads(3);
  // Deleted by the last that passes; nobody passes before all are there.
  auto* barrier = new absl::Barrier(3);
  absl::BlockingCounter done(3);
  for (int i = 0; i < 3; ++i) {
    threads.Run([&done, barrier] {
      if (barrier->Block()) delete barrier;
      done.DecrementCount();
    });
  }
  done.Wait();
}

TEST(StarterThreadsTest, OneThreadKeepsTheOrder) {
  StarterThreads threads(1);
  std::vector<int> order;
  absl::BlockingCounter done(4);
  for (int i = 0; i < 4; ++i) {
    threads.Run([&order, &done, i] {
      order.push_back(i);
      done.DecrementCount();
    });
  }
  done.Wait();
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
}

TEST(StarterThreadsTest, StopWaitsForWhatHasBegunAndForgetsTheRest) {
  StarterThreads threads(1);
  absl::Notification begun, go_on;
  bool ended = false;
  threads.Run([&] {
    begun.Notify();
    go_on.WaitForNotification();
    ended = true;
  });
  begun.WaitForNotification();
  std::atomic<bool> ran{false};
  auto forgotten = std::make_shared<int>();
  std::weak_ptr<int> watched = forgotten;
  // Lets the first go on only when it is itself forgotten, by Stop().
  std::shared_ptr<void> release(nullptr, [&](void*) { go_on.Notify(); });
  threads.Run([&ran, release = std::move(release),
               forgotten = std::move(forgotten)] { ran = true; });
  threads.Stop();
  EXPECT_TRUE(ended);
  EXPECT_FALSE(ran);
  EXPECT_TRUE(watched.expired());
}

TEST(StarterThreadsTest, SignalsAreNotForTheThreads) {
  StarterThreads threads(1);
  sigset_t blocked;
  sigemptyset(&blocked);
  absl::Notification done;
  threads.Run([&] {
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    done.Notify();
  });
  done.WaitForNotification();
  EXPECT_EQ(sigismember(&blocked, SIGTERM), 1);
  EXPECT_EQ(sigismember(&blocked, SIGCHLD), 1);
}

TEST(StarterThreadsTest, WithoutThreadsTheCallerDoesTheWork) {
  StarterThreads threads(0);
  bool ran = false;
  threads.Run([&] { ran = true; });
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace external_containerizer

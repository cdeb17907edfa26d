// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/worker_threads.h"

#include <atomic>
#include <memory>
#include <vector>

#include "absl/synchronization/barrier.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

TEST(WorkerThreadsTest, AsMuchRunsAtOnceAsThereAreThreads) {
  absl::Notification go;
  absl::BlockingCounter started(3);
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  WorkerThreads threads(3);
  absl::BlockingCounter done(10);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(threads.Run(false, [&, i] {
      const int now = ++running;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      if (i < 3) started.DecrementCount();
      go.WaitForNotification();
      --running;
      done.DecrementCount();
    }));
  }
  started.Wait();
  go.Notify();
  done.Wait();
  EXPECT_EQ(most, 3);
}

TEST(WorkerThreadsTest, WorkThatStaysLeavesHalfToTheRest) {
  absl::Notification go;
  WorkerThreads threads(4);
  std::atomic<int> staying{0};
  absl::BlockingCounter stayed(10);
  for (int i = 0; i < 10; ++i) {
    threads.Run(true, [&] {
      ++staying;
      go.WaitForNotification();
      stayed.DecrementCount();
    });
  }
  for (int i = 0; i < 20; ++i) {
    absl::Notification done;
    threads.Run(false, [&] { done.Notify(); });
    EXPECT_TRUE(done.WaitForNotificationWithTimeout(kPatience));
  }
  EXPECT_LE(staying, 2);
  go.Notify();
  stayed.Wait();
}

TEST(WorkerThreadsTest, DestructionWaitsForWhatRunsAndDropsTheRest) {
  absl::Notification started;
  absl::Notification go;
  std::atomic<bool> finished{false};
  std::atomic<bool> dropped_ran{false};
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = held;
  auto threads = std::make_unique<WorkerThreads>(1);
  threads->Run(false, [&] {
    started.Notify();
    go.WaitForNotification();
    finished = true;
  });
  threads->Run(false, [&, held] { dropped_ran = *held == 0; });
  held.reset();
  started.WaitForNotification();
  WorkerThreads other(1);
  other.Run(false, [&] { go.Notify(); });
  threads.reset();
  EXPECT_TRUE(finished);
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace external_containerizer

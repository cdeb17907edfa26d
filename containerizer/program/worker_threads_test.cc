// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/worker_threads.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
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
  WorkerThreads threads({3});
  absl::BlockingCounter done(10);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(threads.Run(0, static_cast<uint64_t>(i), [&, i] {
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

TEST(WorkerThreadsTest, LaneThatIsFullKeepsNoOtherOneFromItsThreads) {
  absl::Notification go;
  WorkerThreads threads({2, 1});
  std::atomic<int> running{0};
  absl::BlockingCounter stayed(10);
  for (uint64_t id = 0; id < 10; ++id) {
    threads.Run(0, id, [&] {
      ++running;
      go.WaitForNotification();
      stayed.DecrementCount();
    });
  }
  for (uint64_t id = 10; id < 30; ++id) {
    absl::Notification done;
    threads.Run(1, id, [&] { done.Notify(); });
    EXPECT_TRUE(done.WaitForNotificationWithTimeout(kPatience));
  }
  EXPECT_LE(running, 2);
  go.Notify();
  stayed.Wait();
}

TEST(WorkerThreadsTest, AbandonedWorkHoldsNoPlaceUpToAsMuchAgain) {
  absl::Notification go;
  std::atomic<int> running{0};
  absl::BlockingCounter stayed(10);
  WorkerThreads threads({2});
  std::vector<std::unique_ptr<absl::Notification>> started;
  for (size_t id = 0; id < 10; ++id) {
    started.push_back(std::make_unique<absl::Notification>());
    threads.Run(0, id, [&, id] {
      ++running;
      started[id]->Notify();
      go.WaitForNotification();
      stayed.DecrementCount();
    });
  }
  for (size_t id = 0; id < 4; ++id) {
    EXPECT_TRUE(started[id]->WaitForNotificationWithTimeout(kPatience));
    threads.Abandon(id);
    threads.Abandon(id);
  }
  // A fifth one does not run: these threads are lost for good.
  EXPECT_EQ(running, 4);
  go.Notify();
  stayed.Wait();
  // The place of the abandoned work is free again.
  absl::Notification done;
  threads.Run(0, 10, [&] { done.Notify(); });
  EXPECT_TRUE(done.WaitForNotificationWithTimeout(kPatience));
}

TEST(WorkerThreadsTest, AbandonedWorkThatHasNotBegunIsDestroyedAtOnce) {
  absl::Notification started;
  absl::Notification go;
  WorkerThreads threads({1});
  threads.Run(0, 1, [&] {
    started.Notify();
    go.WaitForNotification();
  });
  started.WaitForNotification();
  std::vector<std::weak_ptr<int>> held;
  std::atomic<uint64_t> ran{0};
  absl::BlockingCounter done(2);
  for (uint64_t id = 2; id < 5; ++id) {
    const auto value = std::make_shared<int>(0);
    held.push_back(value);
    threads.Run(0, id, [&, id, value] {
      ran += id;
      done.DecrementCount();
    });
  }
  EXPECT_TRUE(threads.Abandon(3));
  EXPECT_TRUE(held[1].expired());
  EXPECT_FALSE(held[0].expired());
  EXPECT_FALSE(threads.Abandon(3));
  EXPECT_FALSE(threads.Abandon(1));  // It runs.
  go.Notify();
  done.Wait();
  EXPECT_EQ(ran, 2u + 4u);
}

TEST(WorkerThreadsTest, DestructionWaitsForWhatRunsAndDropsTheRest) {
  absl::Notification started;
  absl::Notification go;
  std::atomic<bool> finished{false};
  std::atomic<bool> dropped_ran{false};
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = held;
  auto threads = std::make_unique<WorkerThreads>(std::vector<size_t>{1});
  threads->Run(0, 1, [&] {
    started.Notify();
    go.WaitForNotification();
    finished = true;
  });
  threads->Run(0, 2, [&, held] { dropped_ran = *held == 0; });
  held.reset();
  started.WaitForNotification();
  WorkerThreads other({1});
  other.Run(0, 1, [&] { go.Notify(); });
  threads.reset();
  EXPECT_TRUE(finished);
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/disk_threads.h"

#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

TEST(DiskThreadsTest, WorkOfOneKeyIsDoneInOrder) {
  absl::Mutex mutex;
  std::map<std::string, std::vector<int>> done;
  {
    DiskThreads threads(4);
    for (int i = 0; i < 1000; ++i) {
      const std::string key = absl::StrCat("key ", i % 7);
      threads.Run(key, [&, key, i] {
        absl::MutexLock lock(&mutex);
        done[key].push_back(i);
      });
    }
  }
  size_t count = 0;
  for (const auto& [key, order] : done) {
    count += order.size();
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end())) << key;
  }
  EXPECT_EQ(count, 1000u);
}

TEST(DiskThreadsTest, AKeyThatIsStuckDoesNotHoldUpAllOthers) {
  absl::Notification release, others;
  DiskThreads threads(2);
  threads.Run("stuck", [&] { release.WaitForNotification(); });
  // Some of these share the thread of "stuck"; not all do.
  for (int i = 0; i < 64; ++i) {
    threads.Run(absl::StrCat(i), [&] {
      if (!others.HasBeenNotified()) others.Notify();
    });
  }
  others.WaitForNotification();
  release.Notify();
}

TEST(DiskThreadsTest, TheDestructorDoesWhatIsLeft) {
  int done = 0;
  {
    DiskThreads threads(1);
    for (int i = 0; i < 100; ++i) threads.Run("key", [&] { ++done; });
  }
  EXPECT_EQ(done, 100);
}

}  // namespace
}  // namespace external_containerizer

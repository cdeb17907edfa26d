// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/aside_threads.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <memory>

#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

TEST(AsideThreadsTest, WorkThatBlocksHoldsUpNobody) {
  std::promise<void> go;
  std::promise<void> done;
  {
    AsideThreads threads;
    threads.Run([&go] { go.get_future().wait(); });
    threads.Run([&done] { done.set_value(); });
    done.get_future().wait();
    go.set_value();
  }
}

TEST(AsideThreadsTest, DestructionWaitsForAllAndForWhatTheyHold) {
  constexpr int kThreads = 50;
  auto held = std::make_shared<std::atomic<int>>(0);
  {
    AsideThreads threads;
    for (int i = 0; i < kThreads; ++i) threads.Run([held] { ++*held; });
  }
  EXPECT_EQ(*held, kThreads);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(AsideThreadsTest, WithoutAThreadItIsDoneInside) {
  // In another process, whose limit does not outlast it.
  const pid_t pid = fork();
  if (pid == 0) {
    AsideThreads threads;
    bool done = false;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 20);
    pthread_setattr_default_np(&attributes);
    const rlimit none = {1, 1};
    setrlimit(RLIMIT_AS, &none);
    threads.Run([&done] { done = true; });
    _exit(done ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/process_watcher.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

// A process that waits to be killed.
class Child {
 public:
  Child() : pid_(fork()) {
    if (pid_ == 0) {
      while (true) pause();
    }
  }
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  ~Child() { Kill(); }

  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  UniqueFd Open() const { return OpenPidfd(pid_); }

 private:
  pid_t pid_;
};

// Returns a `done`, and the future of its argument.
std::pair<std::future<absl::Status>, ProcessWatcher::Done> DoneAndFuture() {
  std::promise<absl::Status> promise;
  std::future<absl::Status> future = promise.get_future();
  return {std::move(future),
          [promise = std::move(promise)](absl::Status status) mutable {
            promise.set_value(std::move(status));
          }};
}

TEST(ProcessWatcherTest, TellsOfTheEndOfEachProcess) {
  std::vector<Child> children(100);
  ProcessWatcher watcher;
  std::vector<std::future<absl::Status>> ends;
  for (const Child& child : children) {
    auto awaited = DoneAndFuture();
    watcher.Watch(child.Open(), absl::InfiniteDuration(),
                  std::move(awaited.second));
    ends.push_back(std::move(awaited.first));
  }
  for (size_t i = children.size(); i-- > 0;) {
    children[i].Kill();
    EXPECT_THAT(ends[i].get(), IsOk());
  }
}

TEST(ProcessWatcherTest, AProcessThatHasEndedEndsTheWatchAtOnce) {
  Child child;
  UniqueFd pidfd = child.Open();
  child.Kill();
  ProcessWatcher watcher;
  auto awaited = DoneAndFuture();
  watcher.Watch(std::move(pidfd), absl::InfiniteDuration(),
                std::move(awaited.second));
  EXPECT_THAT(awaited.first.get(), IsOk());
}

TEST(ProcessWatcherTest, ADeadlinePassesForOneAndNotForAnother) {
  Child child;
  ProcessWatcher watcher;
  auto never = DoneAndFuture();
  watcher.Watch(child.Open(), absl::InfiniteDuration(),
                std::move(never.second));
  auto soon = DoneAndFuture();
  watcher.Watch(child.Open(), absl::Milliseconds(20), std::move(soon.second));
  EXPECT_THAT(soon.first.get(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  child.Kill();
  EXPECT_THAT(never.first.get(), IsOk());
}

TEST(ProcessWatcherTest, ACancelledWatchSaysSo) {
  Child child;
  ProcessWatcher watcher;
  auto awaited = DoneAndFuture();
  const ProcessWatcher::WatchId id = watcher.Watch(
      child.Open(), absl::InfiniteDuration(), std::move(awaited.second));
  watcher.Cancel(id);
  EXPECT_THAT(awaited.first.get(), StatusIs(absl::StatusCode::kCancelled));
  watcher.Cancel(id);
}

TEST(ProcessWatcherTest, WhatCannotBeWatchedSaysSo) {
  ProcessWatcher watcher;
  auto awaited = DoneAndFuture();
  watcher.Watch(UniqueFd(), absl::InfiniteDuration(),
                std::move(awaited.second));
  EXPECT_THAT(awaited.first.get(),
              StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST(ProcessWatcherTest, WithoutAThreadItSaysSo) {
  Child child;
  // The limit ends with the child.
  const pid_t pid = fork();
  if (pid == 0) {
    ProcessWatcher watcher;
    UniqueFd pidfd = child.Open();
    absl::Status end = absl::OkStatus();
    // A thread cannot have a stack, which is larger than the ones kept for
    // reuse.
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 << 20);
    pthread_setattr_default_np(&attributes);
    const rlimit none = {1, 1};
    setrlimit(RLIMIT_AS, &none);
    watcher.Watch(std::move(pidfd), absl::InfiniteDuration(),
                  [&end](absl::Status status) { end = std::move(status); });
    _exit(end.code() == absl::StatusCode::kResourceExhausted ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_EQ(status, 0);
}

TEST(ProcessWatcherTest, DoneMayWatchAgain) {
  Child first;
  Child second;
  ProcessWatcher watcher;
  auto awaited = DoneAndFuture();
  watcher.Watch(first.Open(), absl::InfiniteDuration(),
                [&watcher, &second,
                 done = std::move(awaited.second)](absl::Status) mutable {
                  watcher.Watch(second.Open(), absl::InfiniteDuration(),
                                std::move(done));
                  second.Kill();
                });
  first.Kill();
  EXPECT_THAT(awaited.first.get(), IsOk());
}

TEST(ProcessWatcherTest, DestructionForgetsWhatIsOutstanding) {
  Child child;
  auto alive = std::make_shared<int>();
  {
    ProcessWatcher watcher;
    watcher.Watch(child.Open(), absl::InfiniteDuration(),
                  [alive](absl::Status) { FAIL(); });
  }
  EXPECT_EQ(alive.use_count(), 1);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

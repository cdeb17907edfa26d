// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/event_loop.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/linux/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class EventLoopTest : public ::testing::Test {
 protected:
  EventLoopTest() : loop_(*EventLoop::Create()) {}

  // A connected pair; what is left of it is closed at the end.
  void MakePair(int (&fds)[2]) {
    ASSERT_EQ(
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
        0);
  }

  std::unique_ptr<EventLoop> loop_;
};

// Runs `work` when it is destroyed.
class AtDestruction {
 public:
  explicit AtDestruction(absl::AnyInvocable<void() &&> work)
      : work_(std::move(work)) {}
  AtDestruction(AtDestruction&& other) noexcept
      : work_(std::exchange(other.work_, nullptr)) {}
  ~AtDestruction() {
    if (work_ != nullptr) std::move(work_)();
  }

 private:
  absl::AnyInvocable<void() &&> work_;
};

TEST_F(EventLoopTest, PostedWorkRunsInOrderOnTheLoopsThread) {
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    loop_->Post([&, i] {
      EXPECT_TRUE(loop_->OnLoopThread());
      order.push_back(i);
    });
  }
  loop_->Stop();
  EXPECT_THAT(order, IsEmpty());
  EXPECT_FALSE(loop_->OnLoopThread());
  std::thread thread([&] { loop_->Run(); });
  thread.join();
  EXPECT_THAT(order, ElementsAre(0, 1, 2));
  EXPECT_FALSE(loop_->OnLoopThread());
}

TEST_F(EventLoopTest, PostFromInsideWorkRunsAfterItReturns) {
  std::vector<std::string> order;
  loop_->Post([&] {
    loop_->Post([&] {
      order.push_back("inner");
      loop_->Stop();
    });
    order.push_back("outer");
  });
  loop_->Run();
  EXPECT_THAT(order, ElementsAre("outer", "inner"));
}

TEST_F(EventLoopTest, PostsOfManyThreadsAllRunInTheOrderOfEachThread) {
  constexpr int kThreads = 8;
  constexpr int kPosts = 20'000;
  std::vector<int> next(kThreads, 0);
  int left = kThreads * kPosts;
  bool in_order = true;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kPosts; ++i) {
        loop_->Post([&, t, i] {
          in_order = in_order && next[static_cast<size_t>(t)]++ == i;
          if (--left == 0) loop_->Stop();
        });
      }
    });
  }
  loop_->Run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(in_order);
  EXPECT_EQ(left, 0);
}

// Each post finds the loop asleep or just waking up; a lost wake-up hangs.
TEST_F(EventLoopTest, NoWakeUpIsLost) {
  std::thread thread([&] { loop_->Run(); });
  std::atomic<int> seen{0};
  for (int i = 1; i <= 5'000; ++i) {
    loop_->Post([&, i] { seen = i; });
    while (seen != i) std::this_thread::yield();
  }
  loop_->Stop();
  thread.join();
}

TEST_F(EventLoopTest, WorkThatPostsItselfDoesNotStarveDescriptorsOrTimers) {
  int fds[2];
  ASSERT_NO_FATAL_FAILURE(MakePair(fds));
  ASSERT_EQ(write(fds[1], "x", 1), 1);
  bool readable = false;
  bool elapsed = false;
  ASSERT_TRUE(
      loop_->Watch(fds[0], EPOLLIN, [&](uint32_t) { readable = true; }).ok());
  loop_->RunAfter(absl::Milliseconds(1), [&] { elapsed = true; });
  struct Repeat {
    EventLoop& loop;
    bool& readable;
    bool& elapsed;
    void operator()() {
      if (readable && elapsed) {
        loop.Stop();
      } else {
        loop.Post(*this);
      }
    }
  };
  loop_->Post(Repeat{*loop_, readable, elapsed});
  loop_->Run();
  EXPECT_TRUE(readable);
  EXPECT_TRUE(elapsed);
  loop_->Unwatch(fds[0]);
  close(fds[0]);
  close(fds[1]);
}

TEST_F(EventLoopTest, WhatIsPostedAfterStopDoesNotRunButIsDestroyed) {
  bool before = false;
  bool after = false;
  bool destroyed = false;
  loop_->Post([&] { before = true; });
  loop_->Stop();
  loop_->Post(
      [&, guard = AtDestruction([&] { destroyed = true; })] { after = true; });
  loop_->Run();
  EXPECT_TRUE(before);
  EXPECT_FALSE(destroyed);
  loop_.reset();
  EXPECT_FALSE(after);
  EXPECT_TRUE(destroyed);
}

TEST_F(EventLoopTest, StopFromAnotherThreadEndsALoopThatSleeps) {
  std::atomic<bool> running{false};
  loop_->Post([&] { running = true; });
  std::thread thread([&] { loop_->Run(); });
  while (!running) std::this_thread::yield();
  loop_->Stop();
  thread.join();
}

TEST_F(EventLoopTest, RunsAgainWithWhatWasPostedAfterStop) {
  std::vector<int> order;
  loop_->Post([&] {
    loop_->Stop();
    loop_->Post([&] { order.push_back(1); });
    loop_->Post([&] { order.push_back(2); });
  });
  loop_->Run();
  EXPECT_THAT(order, IsEmpty());
  loop_->Stop();
  loop_->Run();
  EXPECT_THAT(order, ElementsAre(1, 2));
}

TEST_F(EventLoopTest, SecondStopDoesNotStopTheNextRun) {
  int runs = 0;
  loop_->Stop();
  loop_->Stop();
  loop_->Run();
  loop_->Post([&] {
    loop_->Post([&] {
      ++runs;
      loop_->Stop();
    });
  });
  loop_->Run();
  EXPECT_EQ(runs, 1);
}

TEST_F(EventLoopTest, DestructorsOfPendingWorkMayUseTheLoop) {
  int destroyed = 0;
  bool ran = false;
  const EventLoop::TimerId other = loop_->RunAfter(
      absl::Hours(1),
      [&, guard = AtDestruction([&] { ++destroyed; })] { ran = true; });
  auto guard = [&] {
    return AtDestruction([&, other] {
      ++destroyed;
      loop_->Post(
          [&, inner = AtDestruction([&] { ++destroyed; })] { ran = true; });
      loop_->RunAfter(absl::ZeroDuration(), [&] { ran = true; });
      loop_->CancelTimer(other);
    });
  };
  loop_->Post([&, g = guard()] { ran = true; });
  loop_->RunAfter(absl::Hours(1), [&, g = guard()] { ran = true; });
  // As unique_ptr::reset() would, but the loop's name stays valid for guards.
  loop_.get_deleter()(loop_.get());
  loop_.release();
  EXPECT_FALSE(ran);
  EXPECT_EQ(destroyed, 5);
}

TEST_F(EventLoopTest, TimersRunByDeadlineThenInTheOrderTheyWereSet) {
  std::vector<int> order;
  loop_->RunAfter(absl::Milliseconds(20), [&] {
    order.push_back(3);
    loop_->Stop();
  });
  loop_->RunAfter(absl::Milliseconds(2), [&] { order.push_back(2); });
  loop_->RunAfter(absl::ZeroDuration(), [&] { order.push_back(0); });
  loop_->RunAfter(-absl::Hours(1), [&] { order.push_back(1); });
  EXPECT_THAT(order, IsEmpty());
  loop_->Run();
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
}

TEST_F(EventLoopTest, TimerRunsNotBeforeItsTime) {
  const absl::Duration start = MonotonicNow();
  loop_->RunAfter(absl::Milliseconds(30), [&] { loop_->Stop(); });
  loop_->Run();
  EXPECT_GE(MonotonicNow() - start, absl::Milliseconds(30));
}

TEST_F(EventLoopTest, InfiniteTimerNeverRunsAndCanBeCancelled) {
  bool ran = false;
  bool destroyed = false;
  const EventLoop::TimerId id = loop_->RunAfter(
      absl::InfiniteDuration(),
      [&, guard = AtDestruction([&] { destroyed = true; })] { ran = true; });
  loop_->RunAfter(absl::Hours(24 * 365 * 500), [&] { ran = true; });
  loop_->RunAfter(-absl::InfiniteDuration(), [&] { loop_->Stop(); });
  loop_->Run();
  EXPECT_FALSE(ran);
  EXPECT_FALSE(destroyed);
  loop_->CancelTimer(id);
  EXPECT_TRUE(destroyed);
  EXPECT_FALSE(ran);
}

TEST_F(EventLoopTest, CancelledTimerIsDestroyedAtOnceAlsoWhenItIsDue) {
  bool ran = false;
  bool destroyed = false;
  EventLoop::TimerId id = 0;
  loop_->RunAfter(absl::ZeroDuration(), [&] {
    loop_->CancelTimer(id);
    EXPECT_TRUE(destroyed);
    loop_->Stop();
  });
  id = loop_->RunAfter(
      absl::ZeroDuration(),
      [&, guard = AtDestruction([&] { destroyed = true; })] { ran = true; });
  loop_->Run();
  EXPECT_FALSE(ran);
}

TEST_F(EventLoopTest, TimerMayCancelItselfAndOneThatHasRun) {
  EventLoop::TimerId first = 0;
  EventLoop::TimerId second = 0;
  int runs = 0;
  first = loop_->RunAfter(absl::ZeroDuration(), [&] { ++runs; });
  second = loop_->RunAfter(absl::ZeroDuration(), [&] {
    loop_->CancelTimer(first);
    loop_->CancelTimer(second);
    loop_->CancelTimer(12345);
    ++runs;
    loop_->Stop();
  });
  loop_->Run();
  EXPECT_EQ(runs, 2);
}

TEST_F(EventLoopTest, CancellingTheEarliestTimerKeepsTheNext) {
  bool ran = false;
  const EventLoop::TimerId id =
      loop_->RunAfter(absl::Milliseconds(1), [&] { ran = true; });
  loop_->RunAfter(absl::Milliseconds(5), [&] { loop_->Stop(); });
  loop_->Post([&, id] { loop_->CancelTimer(id); });
  loop_->CancelTimer(id);
  loop_->Run();
  EXPECT_FALSE(ran);
}

TEST_F(EventLoopTest, EarlierTimerSetLaterRunsFirst) {
  std::vector<int> order;
  loop_->RunAfter(absl::Hours(1), [&] { order.push_back(2); });
  loop_->Post([&] {
    // The loop now sleeps for the hour, and must be armed anew.
    loop_->RunAfter(absl::Milliseconds(1), [&] {
      order.push_back(1);
      loop_->Stop();
    });
  });
  loop_->Run();
  EXPECT_THAT(order, ElementsAre(1));
}

TEST_F(EventLoopTest, TimerThatSetsItselfDoesNotStarveWork) {
  bool done = false;
  struct Repeat {
    EventLoop& loop;
    bool& done;
    void operator()() {
      if (!done) loop.RunAfter(absl::ZeroDuration(), *this);
    }
  };
  loop_->RunAfter(absl::ZeroDuration(), Repeat{*loop_, done});
  loop_->Post([&] {
    loop_->Post([&] {
      done = true;
      loop_->Stop();
    });
  });
  loop_->Run();
  EXPECT_TRUE(done);
}

TEST_F(EventLoopTest, TenThousandTimersRunInOrderWithoutTheCancelledOnes) {
  constexpr int kTimers = 10'000;
  bool cancelled_ran = false;
  std::vector<EventLoop::TimerId> ids;
  for (int i = 0; i < kTimers; ++i) {
    // In no order, among those that are due now.
    ids.push_back(loop_->RunAfter(absl::Hours((i * 7919) % kTimers),
                                  [&] { cancelled_ran = true; }));
  }
  for (EventLoop::TimerId id : ids) loop_->CancelTimer(id);
  std::vector<int> order;
  std::vector<int> expected;
  for (int i = 0; i < kTimers; ++i) {
    expected.push_back(i);
    loop_->RunAfter(absl::ZeroDuration(), [&, i] { order.push_back(i); });
  }
  loop_->RunAfter(absl::Milliseconds(1), [&] { loop_->Stop(); });
  loop_->Run();
  EXPECT_EQ(order, expected);
  EXPECT_FALSE(cancelled_ran);
}

TEST_F(EventLoopTest, WatchReportsReadabilityAgainUntilItIsRead) {
  int fds[2];
  ASSERT_NO_FATAL_FAILURE(MakePair(fds));
  int calls = 0;
  ASSERT_TRUE(loop_
                  ->Watch(fds[0], EPOLLIN,
                          [&](uint32_t events) {
                            EXPECT_EQ(events, uint32_t{EPOLLIN});
                            if (++calls < 3) return;
                            char byte;
                            EXPECT_EQ(read(fds[0], &byte, 1), 1);
                            // A second round, in which it must not be ready.
                            loop_->Post([&] { loop_->Stop(); });
                          })
                  .ok());
  ASSERT_EQ(write(fds[1], "x", 1), 1);
  loop_->Run();
  EXPECT_EQ(calls, 3);
  loop_->Unwatch(fds[0]);
  close(fds[0]);
  close(fds[1]);
}

TEST_F(EventLoopTest, WatchReportsHangUpEvenIfNoEventIsAskedFor) {
  int fds[2];
  ASSERT_NO_FATAL_FAILURE(MakePair(fds));
  uint32_t seen = 0;
  ASSERT_TRUE(loop_
                  ->Watch(fds[0], 0,
                          [&](uint32_t events) {
                            seen = events;
                            loop_->Unwatch(fds[0]);
                            loop_->Stop();
                          })
                  .ok());
  close(fds[1]);
  loop_->Run();
  EXPECT_NE(seen & EPOLLHUP, 0u);
  close(fds[0]);
}

TEST_F(EventLoopTest, UnwatchInsideItsOwnCallbackKeepsTheCallbackAlive) {
  int fds[2];
  ASSERT_NO_FATAL_FAILURE(MakePair(fds));
  bool destroyed = false;
  ASSERT_TRUE(loop_
                  ->Watch(fds[0], EPOLLOUT,
                          [&, guard = AtDestruction([&] { destroyed = true; })](
                              uint32_t) {
                            loop_->Unwatch(fds[0]);
                            EXPECT_FALSE(destroyed);
                            loop_->Stop();
                          })
                  .ok());
  loop_->Run();
  EXPECT_TRUE(destroyed);
  loop_->Unwatch(fds[0]);  // No longer watched: no effect.
  close(fds[0]);
  close(fds[1]);
}

// Both descriptors are ready in one batch. Whichever comes first unwatches and
// closes the other, and watches a new file under its number.
TEST_F(EventLoopTest, EventOfAClosedDescriptorDoesNotReachItsSuccessor) {
  int a[2];
  int b[2];
  int quiet[2];
  ASSERT_NO_FATAL_FAILURE(MakePair(a));
  ASSERT_NO_FATAL_FAILURE(MakePair(b));
  ASSERT_NO_FATAL_FAILURE(MakePair(quiet));
  int calls = 0;
  int stale = 0;
  int replaced = -1;
  auto replace = [&](int victim) {
    ++calls;
    loop_->Unwatch(a[0]);
    loop_->Unwatch(b[0]);
    // Nothing is to be read from `quiet`.
    ASSERT_EQ(dup3(quiet[0], victim, O_CLOEXEC), victim);
    replaced = victim;
    ASSERT_TRUE(loop_->Watch(victim, EPOLLIN, [&](uint32_t) { ++stale; }).ok());
    loop_->Post([&] { loop_->Post([&] { loop_->Stop(); }); });
  };
  ASSERT_TRUE(
      loop_->Watch(a[0], EPOLLIN, [&](uint32_t) { replace(b[0]); }).ok());
  ASSERT_TRUE(
      loop_->Watch(b[0], EPOLLIN, [&](uint32_t) { replace(a[0]); }).ok());
  ASSERT_EQ(write(a[1], "x", 1), 1);
  ASSERT_EQ(write(b[1], "x", 1), 1);
  loop_->Run();
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(stale, 0);
  loop_->Unwatch(replaced);
  for (int fd : {a[0], a[1], b[0], b[1], quiet[0], quiet[1]}) close(fd);
}

TEST_F(EventLoopTest, WatchOfAClosedDescriptorIsAnErrorThatNamesIt) {
  int fds[2];
  ASSERT_NO_FATAL_FAILURE(MakePair(fds));
  close(fds[0]);
  close(fds[1]);
  const absl::Status status =
      loop_->Watch(fds[0], EPOLLIN, [](uint32_t) { FAIL(); });
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("descriptor " + std::to_string(fds[0])));
  EXPECT_FALSE(loop_->Watch(-1, EPOLLIN, [](uint32_t) { FAIL(); }).ok());
  // Nothing of it is left.
  loop_->Stop();
  loop_->Run();
}

TEST_F(EventLoopTest, WatchOfADescriptorThatIsWatchedIsAnError) {
  int fds[2];
  ASSERT_NO_FATAL_FAILURE(MakePair(fds));
  ASSERT_TRUE(loop_->Watch(fds[0], EPOLLIN, [](uint32_t) {}).ok());
  EXPECT_EQ(loop_->Watch(fds[0], EPOLLOUT, [](uint32_t) {}).code(),
            absl::StatusCode::kAlreadyExists);
  loop_->Unwatch(fds[0]);
  EXPECT_TRUE(loop_->Watch(fds[0], EPOLLIN, [](uint32_t) {}).ok());
  loop_->Unwatch(fds[0]);
  close(fds[0]);
  close(fds[1]);
}

TEST_F(EventLoopTest, ModifyChangesWhatIsReported) {
  int fds[2];
  MakePair(fds);
  ASSERT_EQ(write(fds[1], "x", 1), 1);
  std::vector<uint32_t> seen;
  ASSERT_TRUE(loop_
                  ->Watch(fds[0], 0,
                          [&](uint32_t events) {
                            seen.push_back(events);
                            if (seen.size() == 2) return loop_->Stop();
                            EXPECT_TRUE(loop_->Modify(fds[0], EPOLLIN).ok());
                          })
                  .ok());
  EXPECT_TRUE(loop_->Modify(fds[0], EPOLLOUT).ok());
  loop_->Run();
  EXPECT_THAT(seen, ElementsAre(EPOLLOUT, EPOLLIN));
  loop_->Unwatch(fds[0]);
  EXPECT_EQ(loop_->Modify(fds[0], EPOLLIN).code(), absl::StatusCode::kNotFound);
  close(fds[0]);
  close(fds[1]);
}

TEST_F(EventLoopTest, MoreDescriptorsThanOneBatchAreAllServed) {
  constexpr size_t kPairs = 300;
  std::vector<int> fds;
  std::vector<int> seen(kPairs, 0);
  size_t left = kPairs;
  for (size_t i = 0; i < kPairs; ++i) {
    int pair[2];
    ASSERT_NO_FATAL_FAILURE(MakePair(pair));
    fds.insert(fds.end(), {pair[0], pair[1]});
    ASSERT_TRUE(loop_
                    ->Watch(pair[0], EPOLLOUT,
                            [&, i](uint32_t) {
                              // Stays ready: the rest must get its turn.
                              if (seen[i]++ == 0 && --left == 0) loop_->Stop();
                            })
                    .ok());
  }
  loop_->Run();
  EXPECT_EQ(left, 0u);
  for (int fd : fds) {
    loop_->Unwatch(fd);
    close(fd);
  }
}

TEST_F(EventLoopTest, SignalsDoNotEndOrDisturbIt) {
  struct sigaction action {};
  struct sigaction old {};
  static std::atomic<int> caught{0};
  caught = 0;
  action.sa_handler = [](int) { ++caught; };  // No SA_RESTART: EINTR.
  ASSERT_EQ(sigaction(SIGUSR1, &action, &old), 0);
  std::atomic<bool> running{false};
  bool ran = false;
  loop_->Post([&] { running = true; });
  std::thread thread([&] { loop_->Run(); });
  while (!running) std::this_thread::yield();
  for (int i = 1; i <= 100; ++i) {
    ASSERT_EQ(pthread_kill(thread.native_handle(), SIGUSR1), 0);
    while (caught < i) std::this_thread::yield();
  }
  loop_->Post([&] { ran = true; });
  loop_->Stop();
  thread.join();
  EXPECT_TRUE(ran);
  sigaction(SIGUSR1, &old, nullptr);
}

TEST(EventLoopCreateTest, ItsDescriptorsAreCloseOnExecAndClosedAtTheEnd) {
  auto open_fds = [] {
    std::vector<int> fds;
    for (int fd = 0; fd < 256; ++fd) {
      if (fcntl(fd, F_GETFD) >= 0) fds.push_back(fd);
    }
    return fds;
  };
  const std::vector<int> before = open_fds();
  auto loop = EventLoop::Create();
  ASSERT_TRUE(loop.ok());
  for (int fd : open_fds()) {
    if (std::find(before.begin(), before.end(), fd) != before.end()) continue;
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0) << fd;
  }
  loop->reset();
  EXPECT_EQ(open_fds(), before);
}

TEST(EventLoopCreateTest, NoDescriptorToBeHadIsResourceExhausted) {
  rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
  const int lowest = dup(0);
  ASSERT_GE(lowest, 0);
  close(lowest);
  // None at all, then one (epoll).
  for (int more = 0; more < 2; ++more) {
    rlimit low = old;
    low.rlim_cur = static_cast<rlim_t>(lowest + more);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    const absl::Status status = EventLoop::Create().status();
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << more;
  }
}

}  // namespace
}  // namespace external_containerizer

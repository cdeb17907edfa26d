// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/process_watcher.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kNever = Clock::time_point::max();
constexpr int kEvents = 64;
constexpr useconds_t kRetryMicroseconds = 100000;

// How long epoll may sleep, in its milliseconds, rounded up.
int Timeout(Clock::time_point deadline) {
  if (deadline == kNever) return -1;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                        deadline - Clock::now())
                        .count();
  return static_cast<int>(
      std::clamp<int64_t>(int64_t{left} + 1, 0, 24 * 3600 * 1000));
}

}  // namespace

ProcessWatcher::ProcessWatcher()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = 0;
  if (epoll_.valid() && wake_.valid()) {
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
  }
}

ProcessWatcher::~ProcessWatcher() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  Wake();
  if (started_) pthread_join(thread_, nullptr);
}

ProcessWatcher::WatchId ProcessWatcher::Watch(UniqueFd pidfd,
                                              absl::Duration timeout,
                                              Done done) {
  WatchId id;
  bool wake = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    id = next_id_++;
    // Not std::thread, which can only say by an exception that there is none.
    if (!started_ && pthread_create(&thread_, nullptr, ThreadMain, this) == 0) {
      started_ = true;
    }
    if (started_) {
      Entry& entry = entries_[id];
      entry.deadline = timeout == absl::InfiniteDuration()
                           ? kNever
                           : Clock::now() + absl::ToChronoNanoseconds(timeout);
      entry.done = std::exchange(done, nullptr);
      if (entry.deadline != kNever) deadlines_.emplace(entry.deadline, id);
      epoll_event event = {};
      event.events = EPOLLIN;
      event.data.u64 = id;
      const int watched =
          epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, pidfd.get(), &event);
      entry.pidfd = std::move(pidfd);
      if (watched != 0) {
        EndLocked(id,
                  absl::ResourceExhaustedError("cannot watch the process: no "
                                               "descriptors or memory left"));
      }
      // A process that ends wakes the thread by itself.
      wake = watched != 0 || timeout != absl::InfiniteDuration();
    }
  }
  if (done) {
    std::move(done)(absl::ResourceExhaustedError(
        "cannot watch the process: no thread to be had"));
  } else if (wake) {
    Wake();
  }
  return id;
}

void* ProcessWatcher::ThreadMain(void* watcher) {
  static_cast<ProcessWatcher*>(watcher)->Run();
  return nullptr;
}

void ProcessWatcher::Cancel(WatchId id) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    EndLocked(id, absl::CancelledError("cancelled"));
  }
  Wake();
}

void ProcessWatcher::Wake() {
  const uint64_t one = 1;
  (void)!write(wake_.get(), &one, sizeof(one));
}

void ProcessWatcher::EndLocked(WatchId id, absl::Status end) {
  const auto it = entries_.find(id);
  if (it == entries_.end()) return;
  deadlines_.erase({it->second.deadline, id});
  calls_.emplace_back(std::move(it->second.done), std::move(end));
  entries_.erase(it);
}

void ProcessWatcher::Run() {
  std::vector<WatchId> ended;
  while (true) {
    std::vector<std::pair<Done, absl::Status>> calls;
    auto earliest = kNever;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (stop_) return;
      for (const WatchId id : ended) EndLocked(id, absl::OkStatus());
      const auto now = Clock::now();
      while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
        EndLocked(deadlines_.begin()->second,
                  absl::DeadlineExceededError("still running"));
      }
      if (!deadlines_.empty()) earliest = deadlines_.begin()->first;
      calls.swap(calls_);
    }
    ended.clear();
    for (auto& call : calls) std::move(call.first)(std::move(call.second));
    if (!calls.empty()) continue;  // they may have added to what is awaited

    epoll_event events[kEvents];
    const int n = epoll_wait(epoll_.get(), events, kEvents, Timeout(earliest));
    if (n < 0 && errno != EINTR) {  // never got its descriptors
      usleep(kRetryMicroseconds);
    }
    for (int i = 0; i < n; ++i) {
      if (events[i].data.u64 != 0) {
        ended.push_back(events[i].data.u64);
        continue;
      }
      uint64_t count;
      (void)!read(wake_.get(), &count, sizeof(count));
    }
  }
}

}  // namespace posix_internal
}  // namespace external_containerizer

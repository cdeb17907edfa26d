// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// One thread that waits for descriptors (epoll), timers and work that other
// threads post. Nothing that runs on it may block.
//
//   auto loop = EventLoop::Create();
//   if (!loop.ok()) return loop.status();
//   (*loop)->RunAfter(absl::Seconds(1), [&] { (*loop)->Stop(); });
//   (*loop)->Run();  // Returns after a second.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_EVENT_LOOP_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_EVENT_LOOP_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {

class EventLoop {
 public:
  using TimerId = uint64_t;

  // Returns RESOURCE_EXHAUSTED if no descriptor is left.
  static absl::StatusOr<std::unique_ptr<EventLoop>> Create();

  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  // Destroys work and callbacks without running them. Not during Run().
  ~EventLoop();

  // Runs until Stop(), on the calling thread, which is the loop's thread from
  // then on. Work that was posted before Stop() still runs. May be called
  // again.
  void Run();

  // Any thread. The second call for the same Run() has no effect.
  void Stop();

  // Any thread. Runs `work` on the loop's thread, in the order of the calls and
  // never inside this call.
  void Post(absl::AnyInvocable<void() &&> work);

  // Any thread. Whether the caller is on the loop's thread.
  bool OnLoopThread() const { return thread_ == std::this_thread::get_id(); }

  // All that follows: only on the loop's thread, or before Run().

  // Runs `work` once, `delay` from now on the monotonic clock; as soon as
  // possible (but not inside this call) if `delay` is not positive, never if it
  // is infinite. Ids are never reused and never 0. If the loop itself stood
  // still meanwhile, it serves descriptors that became ready before the timer.
  TimerId RunAfter(absl::Duration delay, absl::AnyInvocable<void() &&> work);

  // Destroys the timer's work. No effect on a timer that has run, or on id 0.
  void CancelTimer(TimerId id);

  // Calls `ready` with the epoll events that are pending on `fd`, level
  // triggered, until Unwatch(fd), which `ready` itself may call. The caller
  // owns the descriptor, and unwatches it before closing it. Fails with
  // ALREADY_EXISTS, or with the error of epoll_ctl().
  absl::Status Watch(int fd, uint32_t events,
                     absl::AnyInvocable<void(uint32_t)> ready);
  // Sets the events for which `ready` is called. NOT_FOUND if `fd` is not
  // watched.
  absl::Status Modify(int fd, uint32_t events);
  void Unwatch(int fd);

 private:
  using Work = absl::AnyInvocable<void() &&>;
  struct Watcher {
    uint32_t generation;
    // Shared with a call of it, which may unwatch the descriptor.
    std::shared_ptr<absl::AnyInvocable<void(uint32_t)>> ready;
  };

  EventLoop() = default;
  absl::Status Control(int operation, int fd, uint32_t events,
                       uint32_t generation);
  Deadline HandleEvents() ABSL_LOCKS_EXCLUDED(mutex_);
  void RunTimers(Deadline now);
  void RunPosted() ABSL_LOCKS_EXCLUDED(mutex_);

  UniqueFd epoll_;
  UniqueFd wake_;
  std::atomic<std::thread::id> thread_{std::thread::id()};
  bool stopping_ = false;

  absl::Mutex mutex_;
  std::vector<Work> posted_ ABSL_GUARDED_BY(mutex_);
  bool stop_posted_ ABSL_GUARDED_BY(mutex_) = false;
  // True while the loop waits for events, or is about to: then Post() wakes it.
  bool asleep_ ABSL_GUARDED_BY(mutex_) = false;

  // Timers with the same deadline run in the order of their creation.
  std::map<std::pair<Deadline, TimerId>, Work> timers_;
  absl::flat_hash_map<TimerId, Deadline> deadlines_;
  TimerId next_timer_ = 1;

  absl::flat_hash_map<int, Watcher> watched_;
  uint32_t next_generation_ = 0;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_EVENT_LOOP_H_

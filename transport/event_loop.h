// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// One thread that waits for descriptors (epoll), timers and work handed to it
// by other threads. Nothing that runs on it may block.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_EVENT_LOOP_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_EVENT_LOOP_H_

#include <cstdint>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace external_containerizer {

class EventLoop {
 public:
  using TimerId = uint64_t;

  // Fails with RESOURCE_EXHAUSTED when no descriptor is to be had.
  static absl::StatusOr<std::unique_ptr<EventLoop>> Create();

  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  // Work that has not run is destroyed, not run. Not while Run() is running.
  ~EventLoop();

  // Runs until Stop(), on the calling thread, which is the loop's thread from
  // then on. Work that was posted before Stop() was called still runs.
  void Run();

  // Any thread. Calls for the same Run() count as one, the first.
  void Stop();

  // Any thread. Runs `work` on the loop's thread, after whatever was posted
  // before it, never inside this call.
  void Post(absl::AnyInvocable<void() &&> work);

  // Any thread. Whether the caller is on the loop's thread.
  bool OnLoopThread() const;

  // The rest: only on the loop's thread, or before Run().

  // Runs `work` once, `delay` from now on the monotonic clock; at once (but
  // not inside this call) if it is not positive, never if it is infinite. Ids
  // are never reused and never 0.
  TimerId RunAfter(absl::Duration delay, absl::AnyInvocable<void() &&> work);

  // No effect on a timer that has run. Destroys its work.
  void CancelTimer(TimerId id);

  // Calls `ready` with the epoll events that are pending on `fd`, level
  // triggered, until Unwatch(fd), which may be called from inside `ready`.
  // The descriptor stays the caller's: unwatch it before closing it.
  absl::Status Watch(int fd, uint32_t events,
                     absl::AnyInvocable<void(uint32_t)> ready);
  // From now on `ready` is called for these events. NOT_FOUND if `fd` is not
  // watched.
  absl::Status Modify(int fd, uint32_t events);
  void Unwatch(int fd);

 private:
  class Impl;
  explicit EventLoop(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_EVENT_LOOP_H_

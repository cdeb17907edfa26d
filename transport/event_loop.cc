// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/event_loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/linux/mutex_lock.h"

namespace external_containerizer {
namespace {

constexpr int kMaxEvents = 128;

}  // namespace

absl::StatusOr<std::unique_ptr<EventLoop>> EventLoop::Create() {
  std::unique_ptr<EventLoop> loop(new EventLoop);
  loop->epoll_.Reset(epoll_create1(EPOLL_CLOEXEC));
  if (!loop->epoll_.valid()) {
    return absl::ErrnoToStatus(errno, "event loop: no epoll");
  }
  loop->wake_.Reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!loop->wake_.valid()) {
    return absl::ErrnoToStatus(errno, "event loop: no eventfd");
  }
  EventLoop* const self = loop.get();
  const absl::Status status =
      loop->Watch(loop->wake_.get(), EPOLLIN, [self](uint32_t) {
        uint64_t value;
        while (read(self->wake_.get(), &value, sizeof(value)) < 0 &&
               errno == EINTR) {
        }
      });
  if (!status.ok()) return status;
  return loop;
}

EventLoop::~EventLoop() {
  // The destructors of work may post, set timers and cancel them.
  for (;;) {
    std::vector<Work> posted;
    {
      MutexLock lock(&mutex_);
      posted.swap(posted_);
    }
    const auto timers = std::exchange(timers_, {});
    const auto watched = std::exchange(watched_, {});
    deadlines_.clear();
    if (posted.empty() && timers.empty() && watched.empty()) return;
  }
}

void EventLoop::Run() {
  thread_ = std::this_thread::get_id();
  while (!stopping_) {
    RunTimers(HandleEvents());
    RunPosted();
  }
  stopping_ = false;
  MutexLock lock(&mutex_);
  stop_posted_ = false;
}

void EventLoop::Stop() {
  {
    MutexLock lock(&mutex_);
    if (std::exchange(stop_posted_, true)) return;
  }
  Post([this] { stopping_ = true; });
}

void EventLoop::Post(Work work) {
  {
    MutexLock lock(&mutex_);
    posted_.push_back(std::move(work));
    if (!asleep_) return;
    asleep_ = false;
  }
  // The write fails only if the counter is full of wake-ups that were not read.
  const uint64_t one = 1;
  while (write(wake_.get(), &one, sizeof(one)) < 0 && errno == EINTR) {
  }
}

EventLoop::TimerId EventLoop::RunAfter(absl::Duration delay, Work work) {
  const TimerId id = next_timer_++;
  const Deadline deadline(std::max(delay, absl::ZeroDuration()));
  deadlines_.emplace(id, deadline);
  timers_.emplace(std::make_pair(deadline, id), std::move(work));
  return id;
}

void EventLoop::CancelTimer(TimerId id) {
  auto deadline = deadlines_.find(id);
  if (deadline == deadlines_.end()) return;
  // The work is destroyed last: its destructor may call this function.
  auto timer = timers_.extract({deadline->second, id});
  deadlines_.erase(deadline);
}

absl::Status EventLoop::Watch(int fd, uint32_t events,
                              absl::AnyInvocable<void(uint32_t)> ready) {
  if (watched_.contains(fd)) {
    return absl::AlreadyExistsError(
        absl::StrCat("event loop: descriptor ", fd, " is watched already"));
  }
  const uint32_t generation = next_generation_++;
  absl::Status status = Control(EPOLL_CTL_ADD, fd, events, generation);
  if (!status.ok()) return status;
  watched_.emplace(
      fd,
      Watcher{generation, std::make_shared<absl::AnyInvocable<void(uint32_t)>>(
                              std::move(ready))});
  return absl::OkStatus();
}

absl::Status EventLoop::Modify(int fd, uint32_t events) {
  const auto watched = watched_.find(fd);
  if (watched == watched_.end()) {
    return absl::NotFoundError(
        absl::StrCat("event loop: descriptor ", fd, " is not watched"));
  }
  return Control(EPOLL_CTL_MOD, fd, events, watched->second.generation);
}

void EventLoop::Unwatch(int fd) {
  // The callback is destroyed last: its destructor may call this function.
  const auto watched = watched_.extract(fd);
  if (!watched.empty()) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

absl::Status EventLoop::Control(int operation, int fd, uint32_t events,
                                uint32_t generation) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = uint64_t{generation} << 32 | static_cast<uint32_t>(fd);
  if (epoll_ctl(epoll_.get(), operation, fd, &event) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(
      errno, absl::StrCat("event loop: cannot watch descriptor ", fd));
}

Deadline EventLoop::HandleEvents() {
  int timeout = -1;
  if (!timers_.empty())
    timeout = timers_.begin()->first.first.PollMilliseconds();
  {
    MutexLock lock(&mutex_);
    asleep_ = posted_.empty();
    if (!asleep_) timeout = 0;
  }
  epoll_event events[kMaxEvents];
  // EINTR is the only error, and means that nothing is ready.
  const int count = epoll_wait(epoll_.get(), events, kMaxEvents, timeout);
  // A timer that becomes due after this waits for the next look at descriptors.
  const Deadline now(absl::ZeroDuration());
  {
    MutexLock lock(&mutex_);
    asleep_ = false;
  }
  for (int i = 0; i < count; ++i) {
    const uint64_t id = events[i].data.u64;
    const auto watched = watched_.find(static_cast<int>(id & 0xffffffff));
    // An earlier callback may have closed the descriptor, and the number may be
    // watched again.
    if (watched == watched_.end() || watched->second.generation != id >> 32) {
      continue;
    }
    const auto ready = watched->second.ready;
    (*ready)(events[i].events);
  }
  return now;
}

void EventLoop::RunTimers(Deadline now) {
  while (!timers_.empty() && !(now < timers_.begin()->first.first)) {
    auto first = timers_.extract(timers_.begin());
    deadlines_.erase(first.key().second);
    std::move(first.mapped())();
  }
}

void EventLoop::RunPosted() {
  std::vector<Work> batch;
  {
    MutexLock lock(&mutex_);
    batch.swap(posted_);
  }
  for (size_t i = 0; i < batch.size(); ++i) {
    Work work = std::move(batch[i]);
    std::move(work)();
    if (!stopping_) continue;
    // The rest of the batch was posted before the work in posted_.
    MutexLock lock(&mutex_);
    posted_.insert(
        posted_.begin(),
        std::make_move_iterator(batch.begin() + static_cast<ptrdiff_t>(i) + 1),
        std::make_move_iterator(batch.end()));
    return;
  }
}

}  // namespace external_containerizer

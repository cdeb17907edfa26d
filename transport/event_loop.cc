// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/event_loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <iterator>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/mutex_lock.h"

namespace external_containerizer {
namespace {

using Work = absl::AnyInvocable<void() &&>;

// What epoll returns for our own two descriptors; watches count on from there.
constexpr uint64_t kWakeId = 0;
constexpr uint64_t kTimerId = 1;
constexpr uint64_t kFirstWatchId = 2;

constexpr int kMaxEvents = 128;

// MonotonicNow()
using Instant = absl::Duration;
constexpr Instant kNever = absl::InfiniteDuration();

}  // namespace

class EventLoop::Impl {
 public:
  Impl() = default;
  ~Impl() {
    for (int fd : {epoll_, wake_, timer_}) {
      if (fd >= 0) close(fd);
    }
  }

  absl::Status Open();
  void Clear() ABSL_LOCKS_EXCLUDED(mutex_);
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);
  void Post(Work work) ABSL_LOCKS_EXCLUDED(mutex_);
  bool OnLoopThread() const { return thread_ == std::this_thread::get_id(); }
  TimerId RunAfter(absl::Duration delay, Work work);
  void CancelTimer(TimerId id);
  absl::Status Watch(int fd, uint32_t events,
                     absl::AnyInvocable<void(uint32_t)> ready);
  absl::Status Modify(int fd, uint32_t events);
  void Unwatch(int fd);

 private:
  struct Watched {
    int fd;
    // Shared with the call under way, in which it may be unwatched.
    std::shared_ptr<absl::AnyInvocable<void(uint32_t)>> ready;
  };

  absl::Status Control(int operation, int fd, uint32_t events, uint64_t id);
  bool FallAsleep() ABSL_LOCKS_EXCLUDED(mutex_);
  void WaitForEvents() ABSL_LOCKS_EXCLUDED(mutex_);
  void ArmTimer();
  void RunTimers();
  void RunPosted() ABSL_LOCKS_EXCLUDED(mutex_);

  int epoll_ = -1;
  int wake_ = -1;
  int timer_ = -1;
  std::atomic<std::thread::id> thread_{std::thread::id()};
  bool stopping_ = false;

  absl::Mutex mutex_;
  std::vector<Work> posted_ ABSL_GUARDED_BY(mutex_);
  bool stop_posted_ ABSL_GUARDED_BY(mutex_) = false;
  // Whether the loop waits for events, or is about to, and must be woken.
  bool asleep_ ABSL_GUARDED_BY(mutex_) = false;

  // By deadline, and in the order of creation if it is the same.
  std::map<std::pair<Instant, TimerId>, Work> timers_;
  absl::flat_hash_map<TimerId, Instant> deadlines_;
  TimerId next_timer_ = 1;
  Instant armed_ = kNever;

  // By an id that is never reused: an event that the kernel reported for a
  // descriptor which is meanwhile closed finds nothing, even if the number is
  // watched again.
  absl::flat_hash_map<uint64_t, Watched> watched_;
  absl::flat_hash_map<int, uint64_t> watch_ids_;
  uint64_t next_watch_ = kFirstWatchId;
};

absl::Status EventLoop::Impl::Open() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return absl::ErrnoToStatus(errno, "event loop: no epoll");
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) return absl::ErrnoToStatus(errno, "event loop: no eventfd");
  timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  if (timer_ < 0) return absl::ErrnoToStatus(errno, "event loop: no timerfd");
  absl::Status status = Control(EPOLL_CTL_ADD, wake_, EPOLLIN, kWakeId);
  if (status.ok()) status = Control(EPOLL_CTL_ADD, timer_, EPOLLIN, kTimerId);
  return status;
}

// What is destroyed here may post, set timers and cancel them once more.
void EventLoop::Impl::Clear() {
  for (;;) {
    std::vector<Work> posted;
    {
      MutexLock lock(&mutex_);
      posted.swap(posted_);
    }
    auto timers = std::exchange(timers_, {});
    auto watched = std::exchange(watched_, {});
    deadlines_.clear();
    watch_ids_.clear();
    if (posted.empty() && timers.empty() && watched.empty()) return;
  }
}

void EventLoop::Impl::Run() {
  thread_ = std::this_thread::get_id();
  while (!stopping_) {
    WaitForEvents();
    RunTimers();
    RunPosted();
  }
  stopping_ = false;
  MutexLock lock(&mutex_);
  stop_posted_ = false;
}

void EventLoop::Impl::Stop() {
  {
    MutexLock lock(&mutex_);
    if (std::exchange(stop_posted_, true)) return;
  }
  Post([this] { stopping_ = true; });
}

void EventLoop::Impl::Post(Work work) {
  {
    MutexLock lock(&mutex_);
    posted_.push_back(std::move(work));
    if (!asleep_) return;
    asleep_ = false;
  }
  // Fails only if it is full of wake-ups that were not yet taken.
  const uint64_t one = 1;
  while (write(wake_, &one, sizeof(one)) < 0 && errno == EINTR) {
  }
}

EventLoop::TimerId EventLoop::Impl::RunAfter(absl::Duration delay, Work work) {
  const TimerId id = next_timer_++;
  const Instant deadline =
      MonotonicNow() + std::max(delay, absl::ZeroDuration());
  deadlines_.emplace(id, deadline);
  timers_.emplace(std::make_pair(deadline, id), std::move(work));
  return id;
}

void EventLoop::Impl::CancelTimer(TimerId id) {
  auto deadline = deadlines_.find(id);
  if (deadline == deadlines_.end()) return;
  // The work is destroyed last: it may come back here.
  auto timer = timers_.extract({deadline->second, id});
  deadlines_.erase(deadline);
}

absl::Status EventLoop::Impl::Watch(int fd, uint32_t events,
                                    absl::AnyInvocable<void(uint32_t)> ready) {
  if (watch_ids_.contains(fd)) {
    return absl::AlreadyExistsError(
        absl::StrCat("event loop: descriptor ", fd, " is watched already"));
  }
  const uint64_t id = next_watch_++;
  absl::Status status = Control(EPOLL_CTL_ADD, fd, events, id);
  if (!status.ok()) return status;
  watch_ids_.emplace(fd, id);
  watched_.emplace(
      id, Watched{fd, std::make_shared<absl::AnyInvocable<void(uint32_t)>>(
                          std::move(ready))});
  return absl::OkStatus();
}

absl::Status EventLoop::Impl::Modify(int fd, uint32_t events) {
  const auto id = watch_ids_.find(fd);
  if (id == watch_ids_.end()) {
    return absl::NotFoundError(
        absl::StrCat("event loop: descriptor ", fd, " is not watched"));
  }
  return Control(EPOLL_CTL_MOD, fd, events, id->second);
}

void EventLoop::Impl::Unwatch(int fd) {
  auto id = watch_ids_.find(fd);
  if (id == watch_ids_.end()) return;
  epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
  auto watched = watched_.extract(id->second);
  watch_ids_.erase(id);
}

absl::Status EventLoop::Impl::Control(int operation, int fd, uint32_t events,
                                      uint64_t id) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id;
  if (epoll_ctl(epoll_, operation, fd, &event) == 0) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(
      errno, absl::StrCat("event loop: cannot watch descriptor ", fd));
}

bool EventLoop::Impl::FallAsleep() {
  MutexLock lock(&mutex_);
  asleep_ = posted_.empty();
  return asleep_;
}

void EventLoop::Impl::WaitForEvents() {
  ArmTimer();
  epoll_event events[kMaxEvents];
  const int timeout = FallAsleep() ? -1 : 0;
  // Fails with EINTR, if at all: then nothing is ready.
  const int count = epoll_wait(epoll_, events, kMaxEvents, timeout);
  {
    MutexLock lock(&mutex_);
    asleep_ = false;
  }
  for (int i = 0; i < count; ++i) {
    const uint64_t id = events[i].data.u64;
    if (id == kWakeId || id == kTimerId) {
      uint64_t value;
      while (read(id == kWakeId ? wake_ : timer_, &value, sizeof(value)) < 0 &&
             errno == EINTR) {
      }
      if (id == kTimerId) armed_ = kNever;
      continue;
    }
    auto watched = watched_.find(id);
    if (watched == watched_.end()) continue;
    auto ready = watched->second.ready;
    (*ready)(events[i].events);
  }
}

// Leaves it armed for a deadline that was cancelled: most timers are cancelled,
// and one idle wake-up costs less than a system call for each.
void EventLoop::Impl::ArmTimer() {
  if (timers_.empty()) return;
  const Instant earliest = timers_.begin()->first.first;
  if (earliest >= armed_) return;
  itimerspec when{};
  when.it_value = absl::ToTimespec(absl::Ceil(earliest, absl::Nanoseconds(1)));
  timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);
  armed_ = earliest;
}

void EventLoop::Impl::RunTimers() {
  if (timers_.empty()) return;
  // What is set meanwhile is due later than this, and waits for its turn.
  const Instant now = MonotonicNow();
  while (!timers_.empty()) {
    auto first = timers_.begin();
    const auto [deadline, id] = first->first;
    if (deadline > now) return;
    Work work = std::move(first->second);
    timers_.erase(first);
    deadlines_.erase(id);
    std::move(work)();
  }
}

void EventLoop::Impl::RunPosted() {
  std::vector<Work> batch;
  {
    MutexLock lock(&mutex_);
    batch.swap(posted_);
  }
  for (size_t i = 0; i < batch.size(); ++i) {
    Work work = std::move(batch[i]);
    std::move(work)();
    if (!stopping_) continue;
    // What was posted after Stop() comes before what was posted since.
    MutexLock lock(&mutex_);
    posted_.insert(
        posted_.begin(),
        std::make_move_iterator(batch.begin() + static_cast<ptrdiff_t>(i) + 1),
        std::make_move_iterator(batch.end()));
    return;
  }
}

absl::StatusOr<std::unique_ptr<EventLoop>> EventLoop::Create() {
  auto impl = std::make_unique<Impl>();
  absl::Status status = impl->Open();
  if (!status.ok()) return status;
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(impl)));
}

EventLoop::EventLoop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventLoop::~EventLoop() { impl_->Clear(); }

void EventLoop::Run() { impl_->Run(); }
void EventLoop::Stop() { impl_->Stop(); }
void EventLoop::Post(Work work) { impl_->Post(std::move(work)); }
bool EventLoop::OnLoopThread() const { return impl_->OnLoopThread(); }

EventLoop::TimerId EventLoop::RunAfter(absl::Duration delay, Work work) {
  return impl_->RunAfter(delay, std::move(work));
}

void EventLoop::CancelTimer(TimerId id) { impl_->CancelTimer(id); }

absl::Status EventLoop::Watch(int fd, uint32_t events,
                              absl::AnyInvocable<void(uint32_t)> ready) {
  return impl_->Watch(fd, events, std::move(ready));
}

absl::Status EventLoop::Modify(int fd, uint32_t events) {
  return impl_->Modify(fd, events);
}

void EventLoop::Unwatch(int fd) { impl_->Unwatch(fd); }

}  // namespace external_containerizer

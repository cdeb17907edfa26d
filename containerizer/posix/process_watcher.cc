// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/process_watcher.h"
#include "external_containerizer/transport/linux/mutex_lock.h"

#include <sys/epoll.h>

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace external_containerizer {
namespace posix_internal {

ProcessWatcher::~ProcessWatcher() {
  Thread thread;
  {
    MutexLock lock(&mutex_);
    if (loop_ != nullptr) loop_->Stop();
    thread = std::move(thread_);
  }
  // A `done` that is running may need the lock.
  thread.Join();
}

absl::StatusOr<EventLoop*> ProcessWatcher::Loop() {
  if (loop_ != nullptr) return loop_.get();
  absl::StatusOr<std::unique_ptr<EventLoop>> loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  absl::Status started =
      thread_.Start("watcher", [loop = loop->get()] { loop->Run(); });
  if (!started.ok()) return started;
  loop_ = *std::move(loop);
  running_ = loop_.get();
  return running_;
}

ProcessWatcher::WatchId ProcessWatcher::Watch(UniqueFd pidfd,
                                              absl::Duration timeout,
                                              Done done) {
  absl::Status why;
  {
    MutexLock lock(&mutex_);
    const absl::StatusOr<EventLoop*> loop = Loop();
    if (loop.ok()) {
      const WatchId id = ++last_id_;
      (*loop)->Post([this, id, pidfd = std::move(pidfd), timeout,
                     done = std::move(done)]() mutable {
        Begin(id, std::move(pidfd), timeout, std::move(done));
      });
      return id;
    }
    why = loop.status();
  }
  std::move(done)(absl::ResourceExhaustedError(
      absl::StrCat("cannot watch the process: ", why.message())));
  return 0;
}

void ProcessWatcher::Cancel(WatchId id) {
  MutexLock lock(&mutex_);
  if (loop_ == nullptr) return;
  loop_->Post([this, id] { End(id, absl::CancelledError("cancelled")); });
}

void ProcessWatcher::Begin(WatchId id, UniqueFd pidfd, absl::Duration timeout,
                           Done done) {
  const bool only_waits = !pidfd.valid() && timeout < absl::InfiniteDuration();
  const absl::Status watched =
      only_waits ? absl::OkStatus()
                 : running_->Watch(pidfd.get(), EPOLLIN, [this, id](uint32_t) {
                     End(id, absl::OkStatus());
                   });
  if (!watched.ok()) {
    return std::move(done)(absl::ResourceExhaustedError(
        absl::StrCat("cannot watch the process: ", watched.message())));
  }
  Entry& entry = entries_[id];
  entry.pidfd = std::move(pidfd);
  entry.done = std::move(done);
  if (timeout == absl::InfiniteDuration()) return;
  entry.timer = running_->RunAfter(timeout, [this, id] {
    End(id, absl::DeadlineExceededError("still running"));
  });
}

void ProcessWatcher::End(WatchId id, absl::Status end) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  if (found->second.pidfd.valid()) {
    running_->Unwatch(found->second.pidfd.get());
  }
  running_->CancelTimer(found->second.timer);
  Done done = std::move(found->second.done);
  entries_.erase(found);
  std::move(done)(std::move(end));
}

}  // namespace posix_internal
}  // namespace external_containerizer

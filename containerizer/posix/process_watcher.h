// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Waits for the end of many processes on one thread. The thread sleeps while
// nothing happens, whatever the number of processes.
//
//   ProcessWatcher watcher;
//   watcher.Watch(OpenPidfd(pid), absl::Seconds(5), [](absl::Status end) {
//     if (absl::IsDeadlineExceeded(end)) ...  // It still runs.
//   });

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_PROCESS_WATCHER_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_PROCESS_WATCHER_H_

#include <cstdint>
#include <memory>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/thread.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {

// Thread-safe.
class ProcessWatcher {
 public:
  using WatchId = uint64_t;
  // OK if the process has ended. DEADLINE_EXCEEDED after the timeout, CANCELLED
  // after Cancel(), RESOURCE_EXHAUSTED if the process cannot be watched.
  using Done = absl::AnyInvocable<void(absl::Status) &&>;

  ProcessWatcher() = default;
  ProcessWatcher(const ProcessWatcher&) = delete;
  ProcessWatcher& operator=(const ProcessWatcher&) = delete;
  // Destroys every `done` that is outstanding, and calls none. Must not be
  // called inside a `done`.
  ~ProcessWatcher();

  // Calls `done` once on the watcher's thread, when the process has ended or
  // `timeout` has passed on the monotonic clock. `done` may call Watch() and
  // Cancel(). It is called inside Watch() if no thread can be made. An invalid
  // `pidfd` waits for the timeout alone.
  WatchId Watch(UniqueFd pidfd, absl::Duration timeout, Done done);

  // Ends a watch. No effect if it has ended.
  void Cancel(WatchId id);

 private:
  struct Entry {
    UniqueFd pidfd;
    EventLoop::TimerId timer = 0;  // ends the watch
    Done done;
  };

  // Returns the loop, which a thread runs. The first call makes both.
  absl::StatusOr<EventLoop*> Loop() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // These two run on the loop's thread.
  void Begin(WatchId id, UniqueFd pidfd, absl::Duration timeout, Done done);
  void End(WatchId id, absl::Status end);

  absl::Mutex mutex_;
  std::unique_ptr<EventLoop> loop_ ABSL_GUARDED_BY(mutex_);
  Thread thread_ ABSL_GUARDED_BY(mutex_);
  WatchId last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  // Used on the loop's thread alone.
  std::unordered_map<WatchId, Entry> entries_;
  EventLoop* running_ = nullptr;
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_PROCESS_WATCHER_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Waits for the end of many processes with one thread, which wakes up for what
// happens and for nothing else; what it costs does not grow with the number
// that waits.

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
  // OK: the process has ended. DEADLINE_EXCEEDED, CANCELLED, or
  // RESOURCE_EXHAUSTED if it cannot be watched.
  using Done = absl::AnyInvocable<void(absl::Status) &&>;

  ProcessWatcher() = default;
  ProcessWatcher(const ProcessWatcher&) = delete;
  ProcessWatcher& operator=(const ProcessWatcher&) = delete;
  // Destroys what is still outstanding, uncalled. Not from inside a `done`.
  ~ProcessWatcher();

  // Calls `done` once, on the watcher's thread, where it may call Watch() and
  // Cancel(); or inside this call, if there can be no such thread. Without a
  // valid `pidfd` only the timeout is waited for.
  WatchId Watch(UniqueFd pidfd, absl::Duration timeout, Done done);

  // No effect on what is over.
  void Cancel(WatchId id);

 private:
  struct Entry {
    UniqueFd pidfd;
    EventLoop::TimerId timer = 0;  // of its timeout
    Done done;
  };

  // The loop, on a thread that runs it; made when it is first asked for.
  absl::StatusOr<EventLoop*> Loop() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // On the loop's thread.
  void Begin(WatchId id, UniqueFd pidfd, absl::Duration timeout, Done done);
  void End(WatchId id, absl::Status end);

  absl::Mutex mutex_;
  std::unique_ptr<EventLoop> loop_ ABSL_GUARDED_BY(mutex_);
  Thread thread_ ABSL_GUARDED_BY(mutex_);
  WatchId last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  // The loop's thread alone uses these two.
  std::unordered_map<WatchId, Entry> entries_;
  EventLoop* running_ = nullptr;
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_PROCESS_WATCHER_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Waits for the end of many processes with one thread, which wakes up for what
// happens and for nothing else; what it costs does not grow with the number
// that waits.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_PROCESS_WATCHER_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_PROCESS_WATCHER_H_

#include <pthread.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
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

  ProcessWatcher();
  ProcessWatcher(const ProcessWatcher&) = delete;
  ProcessWatcher& operator=(const ProcessWatcher&) = delete;
  // Destroys what is still outstanding, uncalled. Not from inside a `done`.
  ~ProcessWatcher();

  // Calls `done` once, on the watcher's thread, where it may call Watch() and
  // Cancel(); or inside this call, if there can be no such thread.
  WatchId Watch(UniqueFd pidfd, absl::Duration timeout, Done done);

  // No effect on what is over.
  void Cancel(WatchId id);

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Entry {
    UniqueFd pidfd;
    Time deadline;
    Done done;
  };

  static void* ThreadMain(void* watcher);
  void Run();
  void Wake();
  // To be called with `end`. No effect if it is over.
  void EndLocked(WatchId id, absl::Status end);

  UniqueFd epoll_;
  UniqueFd wake_;
  std::mutex mutex_;
  std::map<WatchId, Entry> entries_;              // the rest: under mutex_
  std::set<std::pair<Time, WatchId>> deadlines_;  // but for those that never
  std::vector<std::pair<Done, absl::Status>> calls_;
  WatchId next_id_ = 1;  // 0 is wake_, in the epoll set
  bool stop_ = false;
  bool started_ = false;
  pthread_t thread_ = {};  // once started_
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_PROCESS_WATCHER_H_

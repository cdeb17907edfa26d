// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A bounded number of threads for work that may block.
//
//   ThreadPool pool("disk", 4);
//   pool.Run([file = std::move(file)] { fsync(file.get()); });

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_THREAD_POOL_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_THREAD_POOL_H_

#include <cstddef>
#include <deque>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "external_containerizer/transport/linux/thread.h"

namespace external_containerizer {

// Thread-safe. Work may add more work to the pool.
class ThreadPool {
 public:
  using Work = absl::AnyInvocable<void() &&>;

  // Starts no thread yet. A thread is started when work comes and no thread is
  // free, until the pool has `most`; it lives as long as the pool. `name` is
  // the name of each thread and must outlive the pool.
  ThreadPool(const char* name, size_t most,
             Thread::Signals signals = Thread::Signals::kBlocked)
      : name_(name), most_(most), signals_(signals) {}
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  // Returns when all work is done. Not on a thread of the pool.
  ~ThreadPool() { End(/*forget=*/false); }

  // Runs `work` on one of the threads. Work begins in the order of the calls,
  // and with `most` 1 it also ends in that order. If the pool has no thread and
  // none can be started, the work runs inside this call.
  void Run(Work work);

  // As Run(), but where Run() would run the work inside the call, this returns
  // false and does not touch `work`.
  bool TryRun(Work&& work) ABSL_LOCKS_EXCLUDED(mutex_);

  // Destroys work that has not begun, and returns when the rest is done. Work
  // that comes later is destroyed.
  void Stop() { End(/*forget=*/true); }

 private:
  void End(bool forget) ABSL_LOCKS_EXCLUDED(mutex_);
  void Loop() ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasSomethingToDo() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return ending_ || !queue_.empty();
  }

  const char* const name_;
  const size_t most_;
  const Thread::Signals signals_;
  absl::Mutex mutex_;
  std::vector<Thread> threads_ ABSL_GUARDED_BY(mutex_);
  std::deque<Work> queue_ ABSL_GUARDED_BY(mutex_);
  size_t count_ ABSL_GUARDED_BY(mutex_) = 0;  // Threads that have not ended.
  size_t busy_ ABSL_GUARDED_BY(mutex_) = 0;   // Those that run work.
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_THREAD_POOL_H_

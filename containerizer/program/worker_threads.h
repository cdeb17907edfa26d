// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A bounded number of threads for handlers, which may block.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_WORKER_THREADS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_WORKER_THREADS_H_

#include <pthread.h>

#include <cstddef>
#include <deque>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace external_containerizer {

// Thread-safe.
class WorkerThreads {
 public:
  using Work = absl::AnyInvocable<void() &&>;

  // Threads are started when there is work and none is free, up to `most`.
  explicit WorkerThreads(size_t most) : most_(most) {}

  // Waits for what is running; what is not yet is destroyed, not run.
  ~WorkerThreads();

  // Runs `work` in the order of the calls. No more than half of the threads, or
  // one, are given to work that `may_stay`, so that it cannot keep the rest
  // from being done. False, and `work` is untouched, if there is no thread and
  // none can be made.
  bool Run(bool may_stay, Work&& work);

 private:
  static void* Main(void* self);
  void Loop();
  // What is to be done next, if there is anything.
  bool Ready() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t most_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<Work> short_ ABSL_GUARDED_BY(mutex_);
  std::deque<Work> staying_ ABSL_GUARDED_BY(mutex_);
  size_t running_staying_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t free_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<pthread_t> threads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_WORKER_THREADS_H_

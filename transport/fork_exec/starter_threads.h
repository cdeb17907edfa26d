// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A few threads to start commands on. posix_spawn() keeps its caller waiting
// until the program is executed, most of a millisecond on a busy machine; a
// loop with many commands in flight has better things to do meanwhile.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_STARTER_THREADS_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_STARTER_THREADS_H_

#include <pthread.h>

#include <cstddef>
#include <deque>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"

namespace external_containerizer {

class StarterThreads {
 public:
  using Work = absl::AnyInvocable<void() &&>;

  // Makes threads as they are needed. They have all signals blocked.
  explicit StarterThreads(size_t max_threads) : max_threads_(max_threads) {}
  StarterThreads(const StarterThreads&) = delete;
  StarterThreads& operator=(const StarterThreads&) = delete;
  ~StarterThreads() { Stop(); }

  // Runs `work` on one of the threads, in the order of the calls; or inside
  // this call, if there is no thread to be had.
  void Run(Work work) ABSL_LOCKS_EXCLUDED(mutex_);

  // Waits for work that has begun, destroys the rest, and ends the threads.
  // After it, only the destructor. Run() and Stop(): on one thread.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  static void* Main(void* self);
  void MakeThread();
  void Loop() ABSL_LOCKS_EXCLUDED(mutex_);

  const size_t max_threads_;
  std::vector<pthread_t> threads_;
  absl::Mutex mutex_;
  std::deque<Work> queue_ ABSL_GUARDED_BY(mutex_);
  size_t idle_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_FORK_EXEC_STARTER_THREADS_H_

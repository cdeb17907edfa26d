// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A bounded number of threads for handlers, which may block: so many for each
// kind of work that one kind cannot keep another from being done.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_WORKER_THREADS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_WORKER_THREADS_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "external_containerizer/transport/linux/thread_pool.h"

namespace external_containerizer {

// Thread-safe.
class WorkerThreads {
 public:
  using Work = ThreadPool::Work;

  // At most `most[lane]` of a lane's works run at once, without those that are
  // abandoned. A thread is made when there is work and none is free; it has the
  // signal mask of the thread that gave the work.
  explicit WorkerThreads(const std::vector<size_t>& most);

  // Waits for what is running; what is not yet is destroyed, not run.
  ~WorkerThreads();

  // Runs `work` in the order of the lane's calls. `id` is the caller's, for
  // Abandon(). False, and `work` is untouched, if there is no thread and none
  // can be made.
  bool Run(size_t lane, uint64_t id, Work&& work);

  // Nobody waits for that work any more. If it is running, another may run
  // beside it; of a lane, as many count as the lane has threads. If it has not
  // begun, it is destroyed, in this call, and true is returned.
  bool Abandon(uint64_t id);

 private:
  struct Queued {
    uint64_t id;
    Work work;
  };
  struct Lane {
    size_t most = 0;
    std::list<Queued> queue;
    size_t starting = 0;  // Threads that are about to take from the queue.
    size_t running = 0;
    size_t abandoned = 0;  // Of those.

    // How many of the queue may run now.
    size_t Runnable() const;
  };
  struct Waiting {
    Lane* lane;
    std::list<Queued>::iterator place;
  };
  struct Running {
    Lane* lane;
    bool abandoned = false;
  };

  // Has threads for what may run now. False if there is no thread at all.
  bool Start(Lane* lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // On a thread.
  void RunNext(Lane* lane) ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Mutex mutex_;
  std::vector<Lane> lanes_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, Running> running_ ABSL_GUARDED_BY(mutex_);
  ThreadPool threads_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_WORKER_THREADS_H_

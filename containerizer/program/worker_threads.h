// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A bounded number of threads for work that may block. Each kind of work has a
// lane with threads of its own, so that no kind keeps another one from running.
//
//   WorkerThreads threads({/*destroy*/ 33, /*other*/ 32});
//   threads.Run(/*lane=*/0, id, [] { Destroy(); });

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

  // At most `most[lane]` works of a lane run at once, not counting abandoned
  // ones. A thread is made when work comes and no thread is free. It has the
  // signal mask of the thread that gave the work.
  explicit WorkerThreads(const std::vector<size_t>& most);

  // Waits for work that runs. Work that has not begun is destroyed.
  ~WorkerThreads();

  // Runs `work` after the lane's earlier works have begun. The caller chooses
  // `id`, for Abandon(). Returns false, and leaves `work` untouched, if the
  // lane has no thread and none can be made.
  bool Run(size_t lane, uint64_t id, Work&& work);

  // Says that nobody waits for a work any more. If it has not begun, this
  // destroys it and returns true. If it runs, another one may run beside it; a
  // lane may have as many abandoned works as it has threads.
  bool Abandon(uint64_t id);

 private:
  struct Queued {
    uint64_t id;
    Work work;
  };
  // One kind of work. Its pointers stay valid: lanes_ never grows.
  struct Lane {
    size_t most = 0;
    std::list<Queued> queue;
    size_t starting = 0;   // Threads that are about to take from the queue.
    size_t running = 0;    // With the abandoned works.
    size_t abandoned = 0;

    // How many works of the queue may begin now.
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

  // Gets threads for the works that may begin now. False if a work gets none.
  bool Start(Lane* lane) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Runs on one of the threads.
  void RunNext(Lane* lane) ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Mutex mutex_;
  std::vector<Lane> lanes_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, Running> running_ ABSL_GUARDED_BY(mutex_);
  ThreadPool threads_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_WORKER_THREADS_H_

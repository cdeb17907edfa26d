// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/thread_pool.h"

#include <utility>

#include "external_containerizer/transport/linux/mutex_lock.h"

namespace external_containerizer {

void ThreadPool::Run(Work work) {
  if (!TryRun(std::move(work))) std::move(work)();
}

bool ThreadPool::TryRun(Work&& work) {
  // Destroyed without the lock, because its destructor may use the pool.
  Work forgotten;
  MutexLock lock(&mutex_);
  if (stopped_) {
    forgotten = std::move(work);
    return true;
  }
  if (!ending_ && queue_.size() >= count_ - busy_ && count_ < most_) {
    Thread thread;
    if (thread
            .Start(
                name_, [this] { Loop(); }, signals_)
            .ok()) {
      threads_.push_back(std::move(thread));
      ++count_;
    }
  }
  if (count_ == 0) return false;
  queue_.push_back(std::move(work));
  return true;
}

void ThreadPool::End(bool forget) {
  std::deque<Work> forgotten;
  std::vector<Thread> threads;
  {
    MutexLock lock(&mutex_);
    ending_ = true;
    stopped_ = stopped_ || forget;
    if (forget) forgotten.swap(queue_);
    threads.swap(threads_);
  }
  // First: running work may wait for the end of work that was forgotten.
  forgotten.clear();
  threads.clear();
}

void ThreadPool::Loop() {
  for (;;) {
    Work work;
    {
      MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &ThreadPool::HasSomethingToDo));
      if (queue_.empty()) {
        --count_;
        return;
      }
      work = std::move(queue_.front());
      queue_.pop_front();
      ++busy_;
    }
    std::move(work)();
    // Destroyed before the thread counts as free.
    work = nullptr;
    MutexLock lock(&mutex_);
    --busy_;
  }
}

}  // namespace external_containerizer

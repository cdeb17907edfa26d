// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/worker_threads.h"

#include <algorithm>
#include <utility>

namespace external_containerizer {

WorkerThreads::~WorkerThreads() {
  std::vector<pthread_t> threads;
  // Destroyed without the lock: what it destroys may be anything.
  std::deque<Work> forgotten[2];
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    threads.swap(threads_);
    forgotten[0].swap(short_);
    forgotten[1].swap(staying_);
  }
  for (const pthread_t thread : threads) pthread_join(thread, nullptr);
}

bool WorkerThreads::Run(bool may_stay, Work&& work) {
  absl::MutexLock lock(&mutex_);
  if (free_ <= short_.size() + staying_.size() && threads_.size() < most_) {
    // std::thread would throw if there is none.
    pthread_t thread;
    if (pthread_create(&thread, nullptr, &Main, this) == 0) {
      threads_.push_back(thread);
    }
  }
  if (threads_.empty()) return false;
  (may_stay ? staying_ : short_).push_back(std::move(work));
  return true;
}

void* WorkerThreads::Main(void* self) {
  static_cast<WorkerThreads*>(self)->Loop();
  return nullptr;
}

bool WorkerThreads::Ready() const {
  return stopped_ || !short_.empty() ||
         (!staying_.empty() &&
          running_staying_ < std::max<size_t>(1, most_ / 2));
}

void WorkerThreads::Loop() {
  bool stayed = false;
  for (;;) {
    Work work;
    {
      absl::MutexLock lock(&mutex_);
      if (stayed) --running_staying_;
      ++free_;
      mutex_.Await(absl::Condition(this, &WorkerThreads::Ready));
      --free_;
      if (stopped_) return;
      stayed = short_.empty();
      std::deque<Work>& queue = stayed ? staying_ : short_;
      work = std::move(queue.front());
      queue.pop_front();
      if (stayed) ++running_staying_;
    }
    std::move(work)();
  }
}

}  // namespace external_containerizer

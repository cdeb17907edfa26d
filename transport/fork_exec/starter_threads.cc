// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/fork_exec/starter_threads.h"

#include <signal.h>

#include <utility>

namespace external_containerizer {

void StarterThreads::Run(Work work) {
  bool enough;
  {
    absl::MutexLock lock(&mutex_);
    enough = idle_ > queue_.size();
  }
  if (!enough && threads_.size() < max_threads_) MakeThread();
  if (threads_.empty()) {
    std::move(work)();
    return;
  }
  absl::MutexLock lock(&mutex_);
  queue_.push_back(std::move(work));
}

void StarterThreads::Stop() {
  {
    std::deque<Work> forgotten;
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    // Outlives the lock: what it destroys may be anything.
    forgotten.swap(queue_);
  }
  for (pthread_t thread : threads_) pthread_join(thread, nullptr);
  threads_.clear();
}

// std::thread would throw if there is none.
void StarterThreads::MakeThread() {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  sigset_t all;
  sigfillset(&all);
  pthread_attr_setsigmask_np(&attributes, &all);
  pthread_t thread;
  if (pthread_create(&thread, &attributes, &Main, this) == 0) {
    threads_.push_back(thread);
  }
  pthread_attr_destroy(&attributes);
}

void* StarterThreads::Main(void* self) {
  static_cast<StarterThreads*>(self)->Loop();
  return nullptr;
}

void StarterThreads::Loop() {
  for (;;) {
    Work work;
    {
      absl::MutexLock lock(&mutex_);
      ++idle_;
      const auto wanted = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
        return stopping_ || !queue_.empty();
      };
      mutex_.Await(absl::Condition(&wanted));
      --idle_;
      if (stopping_) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    std::move(work)();
  }
}

}  // namespace external_containerizer

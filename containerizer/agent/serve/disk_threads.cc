// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/disk_threads.h"

#include <deque>
#include <thread>  // NOLINT
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/hash/hash.h"
#include "absl/synchronization/mutex.h"

namespace external_containerizer {

class DiskThreads::Thread {
 public:
  Thread() : thread_([this] { Loop(); }) {}

  ~Thread() {
    {
      absl::MutexLock lock(&mutex_);
      ending_ = true;
    }
    thread_.join();
  }

  void Add(absl::AnyInvocable<void() &&> work) {
    absl::MutexLock lock(&mutex_);
    queue_.push_back(std::move(work));
  }

 private:
  void Loop() {
    for (;;) {
      absl::AnyInvocable<void() &&> work;
      {
        absl::MutexLock lock(&mutex_);
        mutex_.Await(absl::Condition(this, &Thread::HasSomethingToDo));
        if (queue_.empty()) return;
        work = std::move(queue_.front());
        queue_.pop_front();
      }
      std::move(work)();
    }
  }

  bool HasSomethingToDo() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return ending_ || !queue_.empty();
  }

  absl::Mutex mutex_;
  std::deque<absl::AnyInvocable<void() &&>> queue_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

DiskThreads::DiskThreads(size_t threads) {
  for (size_t i = 0; i < threads; ++i) {
    threads_.push_back(std::make_unique<Thread>());
  }
}

DiskThreads::~DiskThreads() = default;

void DiskThreads::Run(absl::string_view key,
                      absl::AnyInvocable<void() &&> work) {
  threads_[absl::HashOf(key) % threads_.size()]->Add(std::move(work));
}

}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/aside_threads.h"

#include <pthread.h>

#include <memory>
#include <mutex>
#include <utility>

namespace external_containerizer {
namespace posix_internal {

struct AsideThreads::Job {
  AsideThreads& threads;
  Work work;
};

AsideThreads::~AsideThreads() {
  std::unique_lock<std::mutex> lock(mutex_);
  done_.wait(lock, [this] { return running_ == 0; });
}

void AsideThreads::Run(Work work) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++running_;
  }
  auto job = std::make_unique<Job>(Job{*this, std::move(work)});
  // Not std::thread, which can only say by an exception that there is none.
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, ThreadMain, job.get());
  pthread_attr_destroy(&attributes);
  if (error == 0) {
    job.release();
  } else {
    Do(std::move(job->work));
  }
}

void* AsideThreads::ThreadMain(void* argument) {
  const std::unique_ptr<Job> job(static_cast<Job*>(argument));
  job->threads.Do(std::move(job->work));
  return nullptr;
}

void AsideThreads::Do(Work work) {
  std::move(work)();
  work = nullptr;  // with all that it holds
  const std::lock_guard<std::mutex> lock(mutex_);
  --running_;
  done_.notify_all();
}

}  // namespace posix_internal
}  // namespace external_containerizer

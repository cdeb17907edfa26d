// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Threads for work that may block for seconds, on whatever nobody else is to
// wait for.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_ASIDE_THREADS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_ASIDE_THREADS_H_

#include <condition_variable>
#include <cstddef>
#include <mutex>

#include "absl/functional/any_invocable.h"

namespace external_containerizer {
namespace posix_internal {

// Thread-safe. Does not bound their number: who asks for work does.
class AsideThreads {
 public:
  using Work = absl::AnyInvocable<void() &&>;

  AsideThreads() = default;
  AsideThreads(const AsideThreads&) = delete;
  AsideThreads& operator=(const AsideThreads&) = delete;
  // Waits until all work is done.
  ~AsideThreads();

  // On a thread of its own; inside this call, if there can be none.
  void Run(Work work);

 private:
  struct Job;
  static void* ThreadMain(void* job);
  void Do(Work work);

  std::mutex mutex_;
  std::condition_variable done_;
  size_t running_ = 0;
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_ASIDE_THREADS_H_

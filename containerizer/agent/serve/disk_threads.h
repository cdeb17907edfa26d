// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Threads for work that takes as long as a disk does.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_DISK_THREADS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_DISK_THREADS_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {

class DiskThreads {
 public:
  explicit DiskThreads(size_t threads);

  // Returns when all that was given to Run() is done.
  ~DiskThreads();

  // Any thread. Does `work` on one of the threads: what has the same key in
  // the order in which it came, other work at the same time. The caller bounds
  // how much there is.
  void Run(absl::string_view key, absl::AnyInvocable<void() &&> work);

 private:
  class Thread;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_DISK_THREADS_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A UsageAgent in a process of its own, so that agents with more and with less
// memory or descriptors can be measured in turns. Each process that an agent
// starts gets a copy of both.
//
//   auto large = UsageWorker::Start(program, directory, 1, size_t{1} << 30);
//   absl::StatusOr<absl::Duration> time = (*large)->TimePerCall(1000);

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_USAGE_WORKER_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_USAGE_WORKER_H_

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace external_containerizer {

class UsageWorker {
 public:
  // Executes this program once more, for UsageWorkerMain(). The new process
  // has `containers` containers, and touches `bytes` of memory in pages of
  // 4 KiB and keeps them.
  static absl::StatusOr<std::unique_ptr<UsageWorker>> Start(
      const std::string& program, const std::string& directory, int containers,
      size_t bytes);
  UsageWorker(const UsageWorker&) = delete;
  UsageWorker& operator=(const UsageWorker&) = delete;
  // Ends the process.
  ~UsageWorker();

  // The memory of the process when it was ready.
  size_t resident_bytes() const { return resident_bytes_; }

  // Like UsageAgent::TimePerCall(), with one call at a time.
  absl::StatusOr<absl::Duration> TimePerCall(int calls);

 private:
  UsageWorker(pid_t pid, int socket) : pid_(pid), socket_(socket) {}

  const pid_t pid_;
  const int socket_;
  size_t resident_bytes_ = 0;
};

// The main() of that process, to be called if IsUsageWorker(argc, argv).
bool IsUsageWorker(int argc, char** argv);
absl::Status UsageWorkerMain(int argc, char** argv);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_USAGE_WORKER_H_

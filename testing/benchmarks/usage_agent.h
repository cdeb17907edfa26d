// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A Containerizer over fork/exec whose containers are asked for their usage.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_USAGE_AGENT_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_USAGE_AGENT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/containerizer.h"

namespace external_containerizer {

class UsageAgent {
 public:
  // Launches `containers` containers, each with a sandbox below `directory`,
  // which is made. Returns when the `wait` of each is running.
  static absl::StatusOr<std::unique_ptr<UsageAgent>> Start(
      const std::string& program, const std::string& directory, int containers);

  // Time per call of `calls` calls of Usage(), `at_once` at a time: each
  // callback makes the next call. A container has one `usage` at a time, so
  // `at_once` is not more than there are containers.
  absl::StatusOr<absl::Duration> TimePerCall(int calls, int at_once);

 private:
  explicit UsageAgent(std::unique_ptr<Containerizer> containerizer)
      : containerizer_(std::move(containerizer)) {}

  const std::unique_ptr<Containerizer> containerizer_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_USAGE_AGENT_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A Containerizer whose containers are asked for their usage.
//
//   auto agent = UsageAgent::Start(program, directory, 100);
//   absl::StatusOr<absl::Duration> time = (*agent)->TimePerCall(1000, 4);

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_USAGE_AGENT_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_USAGE_AGENT_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/containerizer.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

class UsageAgent {
 public:
  // Makes an agent over fork/exec with `containers` containers, each with a
  // sandbox below `directory`, which is made. Returns when the `wait` of each
  // container runs.
  static absl::StatusOr<std::unique_ptr<UsageAgent>> Start(
      const std::string& program, const std::string& directory, int containers);

  // Makes an agent over any transport, in `directory`, which exists, without
  // containers.
  static absl::StatusOr<std::unique_ptr<UsageAgent>> Start(
      TransportFactory transport, const std::string& directory);

  // Launches containers with these numbers. Returns when all run.
  absl::Status Launch(int begin, int end);
  // Destroys them, which ends the processes of a real program.
  absl::Status Destroy(int begin, int end);

  Containerizer& containerizer() { return *containerizer_; }
  static ContainerId IdOf(int number);

  // The time per call of `calls` calls of Usage(), `at_once` at a time. Each
  // callback makes the next call. `at_once` is at most the number of
  // containers, because a container has one `usage` at a time.
  absl::StatusOr<absl::Duration> TimePerCall(int calls, int at_once);

 private:
  UsageAgent(std::unique_ptr<Containerizer> containerizer,
             std::string directory)
      : containerizer_(std::move(containerizer)),
        directory_(std::move(directory)) {}

  const std::unique_ptr<Containerizer> containerizer_;
  const std::string directory_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_USAGE_AGENT_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Trees as an agent leaves them, for recovery to read.
//
//   absl::Status written = WriteRecoveryTree(directory, 10'000);

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_RECOVERY_TREE_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_RECOVERY_TREE_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/wire/checkpoint.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/state/paths.h"

namespace external_containerizer {

// Each container has an executor of its own, in one of 100 frameworks.
inline constexpr size_t kTreeFrameworks = 100;
state::RunId TreeRun(size_t number);

wire::SlaveInfo TreeAgent();
wire::FrameworkInfo TreeFramework(const std::string& id);
wire::ExecutorInfo TreeExecutor(const state::RunId& run);
wire::Task TreeTask(const state::RunId& run);

// Writes a tree into `directory`, which is empty: `executors` executors that
// run, each with both pids and a task with two updates, one of them
// acknowledged.
absl::Status WriteRecoveryTree(const std::string& directory, size_t executors);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_RECOVERY_TREE_H_

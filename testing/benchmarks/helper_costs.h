// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// An agent with a persistent helper: what a command costs beside one that has a
// process of its own, and what a container costs that waits.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_HELPER_COSTS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_HELPER_COSTS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace external_containerizer {

// Compares `usage` of a container of `program` through a helper with the same
// over fork/exec, `calls` calls in each block. How many times faster it is.
// `directory` is made.
absl::StatusOr<double> CompareHostings(const std::string& name,
                                       const std::string& program,
                                       const std::string& directory, int blocks,
                                       int calls);

// Prints heap and threads, of both sides, of `containers` containers of
// `trivial_helper` that wait. Of this process it counts what the first arena
// of malloc holds: let it have no other (M_ARENA_MAX).
absl::Status PrintWaitingCosts(const std::string& trivial_helper,
                               const std::string& directory, int containers);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_HELPER_COSTS_H_

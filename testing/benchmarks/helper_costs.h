// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The costs of a persistent helper: for a command, compared with a process of
// its own, and for a container that waits.
//
//   absl::StatusOr<double> ratio =
//       CompareHostings("posix", program, directory, 20, 1000);

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_HELPER_COSTS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_HELPER_COSTS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace external_containerizer {

// Compares `usage` of a container of `program` through a helper with the same
// over fork/exec, with `calls` calls in each block. Returns how many times
// faster it is. `directory` is made.
absl::StatusOr<double> CompareHostings(const std::string& name,
                                       const std::string& program,
                                       const std::string& directory, int blocks,
                                       int calls);

// Prints the heap and the threads of both sides, for `containers` containers of
// `trivial_helper` that wait. In this process it counts the first arena of
// malloc, which must be the only one (M_ARENA_MAX).
absl::Status PrintWaitingCosts(const std::string& trivial_helper,
                               const std::string& directory, int containers);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_HELPER_COSTS_H_

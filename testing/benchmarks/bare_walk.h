// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The floor for the reader of an agent's state: the same walk through the same
// directories, with the same opens and reads, but nothing is parsed.
//
//   absl::StatusOr<BareWalkCount> count = BareWalk(work_dir);

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_BARE_WALK_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_BARE_WALK_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace external_containerizer {

struct BareWalkCount {
  size_t directories = 0;
  size_t files = 0;
  size_t links = 0;
  size_t bytes = 0;
};

// The tree must be whole. An error if a file is missing that every executor of
// WriteRecoveryTree() has.
absl::StatusOr<BareWalkCount> BareWalk(const std::string& work_dir);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_BARE_WALK_H_

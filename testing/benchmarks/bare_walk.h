// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The floor for reading what an agent wrote down: the same walk through the
// same directories, the same opens and reads, and nothing made of it.

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

// Of a tree that is whole. An error if anything that every executor of
// WriteRecoveryTree() has is not there.
absl::StatusOr<BareWalkCount> BareWalk(const std::string& work_dir);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_BARE_WALK_H_

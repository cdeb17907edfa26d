// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Measures things in short blocks that take turns, so that other work of the
// machine meets all of them alike, and prints the results.
//
//   absl::StatusOr<double> ratio = Compare(
//       20, "a usage", "µs", "< 1.2", {{"bare", bare}, {"ours", ours}});

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_TURNS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_TURNS_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace external_containerizer {

struct Contender {
  std::string name;
  // Runs one block, and returns its measurement.
  std::function<absl::StatusOr<double>()> block;
};

using Samples = std::vector<double>;  // One of each block.

// Lets each run one block to warm up, and then `blocks` blocks, in turns. The
// order changes from round to round.
absl::StatusOr<std::vector<Samples>> TakeTurns(
    int blocks, const std::vector<Contender>& contenders);

// The machine, its load, and how many blocks there will be.
void PrintMachine(int blocks);

// The head of a table, and its rows: quartiles.
void PrintHeading(const std::string& heading);
void PrintRow(const std::string& name, const Samples& samples,
              const std::string& unit);

// Calls TakeTurns(), and prints a table of the results and of their ratios to
// the first. `target` is printed beside the ratio of the second, whose median
// is returned.
absl::StatusOr<double> Compare(int blocks, const std::string& heading,
                               const std::string& unit,
                               const std::string& target,
                               const std::vector<Contender>& contenders);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_TURNS_H_

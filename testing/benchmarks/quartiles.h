// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Summarizes many measurements of the same thing. If the machine does something
// else now and then, that spoils means, but not quartiles.
//
//   const Quartiles ratio = QuartilesOf(Ratios(ours, floor));

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_QUARTILES_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_QUARTILES_H_

#include <vector>

namespace external_containerizer {

// Between two measurements they are interpolated.
struct Quartiles {
  double lower;
  double median;
  double upper;
};

// `samples` is not empty.
Quartiles QuartilesOf(std::vector<double> samples);

// The ratios of two equally long lists, element by element: measurements that
// were taken one right after the other.
std::vector<double> Ratios(const std::vector<double>& numerators,
                           const std::vector<double>& denominators);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_QUARTILES_H_

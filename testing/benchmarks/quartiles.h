// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What a benchmark says of many measurements of the same thing. A machine
// that does something else now and then spoils means, and not these.

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

// Element by element, of two that are equally long: the ratio of measurements
// that were taken one right after the other.
std::vector<double> Ratios(const std::vector<double>& numerators,
                           const std::vector<double>& denominators);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_QUARTILES_H_

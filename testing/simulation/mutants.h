// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Plausible faults of a unit, to be switched on one at a time, in programs
// that link a copy which make_mutants.py made.
//
//   for (size_t i = 0; i < Mutants().size(); ++i) {
//     active_mutant = static_cast<int>(i) + 1;
//     EXPECT_NE(FirstBrokenPromise(), "") << Mutants()[i].fault;
//   }

#ifndef EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_MUTANTS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_MUTANTS_H_

#include <string>
#include <vector>

namespace external_containerizer {

// An index into Mutants(), plus 1. With 0 the copy does what its original does.
extern int active_mutant;

struct Mutant {
  std::string fault;    // One sentence.
  std::string promise;  // The one that it breaks, if the list names one.
};

// All faults of the list, in its order.
const std::vector<Mutant>& Mutants();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_MUTANTS_H_

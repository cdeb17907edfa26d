// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Faults of Lifecycle that can be switched on, one at a time, in programs that
// link :lifecycle_mutants in place of //containerizer:lifecycle.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_MUTANTS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_MUTANTS_H_

#include <string>
#include <vector>

namespace external_containerizer {

// Which one is on: an index into MutantNames(), plus 1. 0: none, Lifecycle is
// as it should be.
extern int active_mutant;

// One sentence for each fault.
const std::vector<std::string>& MutantNames();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_MUTANTS_H_

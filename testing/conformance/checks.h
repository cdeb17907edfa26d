// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The checks: each is a function that reads as the specification of one rule of
// docs/protocol.md.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_CHECKS_H_
#define EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_CHECKS_H_

#include <string>
#include <vector>

#include "external_containerizer/testing/conformance/bench.h"

namespace external_containerizer {
namespace conformance {

enum class Level {
  kMust,    // Without it an agent loses or damages something.
  kShould,  // Without it users are worse off.
};

struct Check {
  // A program may lack this, if its author says so.
  enum class Needs { kNothing, kUsage, kUpdate, kArguments };
  enum class For { kBoth, kExec, kHelper };

  std::string name;
  Level level;
  std::string rule;  // "R1", or with defects of the original: "R1, D6".
  std::string says;  // The rule, in one sentence.
  void (*run)(Bench& bench);
  Needs needs = Needs::kNothing;
  For styles = For::kBoth;
};

// In the order in which they are best read, and run.
std::vector<Check> AllChecks();

// Parts of it.
std::vector<Check> AnswerChecks();
std::vector<Check> LaunchChecks();
std::vector<Check> WaitChecks();
std::vector<Check> DestroyChecks();
std::vector<Check> QueryChecks();
std::vector<Check> AgentChecks();
std::vector<Check> HelperChecks();

}  // namespace conformance
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_CHECKS_H_

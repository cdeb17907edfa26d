// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Runs checks, one after the other, each on a bench of its own.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_RUNNER_H_
#define EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_RUNNER_H_

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/conformance/bench.h"
#include "external_containerizer/testing/conformance/checks.h"

namespace external_containerizer {
namespace conformance {

struct Selection {
  std::vector<Style> styles;
  std::set<std::string> only;      // Names of checks; empty: all.
  std::set<Check::Needs> lacking;  // The program is said to lack these.
};

struct Result {
  Style style = Style::kExec;
  Check check;
  Verdict verdict;
  absl::Duration took;
};

// How the program can be called. It is a helper if `serve` answers Hello. It is
// started per command if `containers` then succeeds, or if it is no helper.
absl::StatusOr<std::vector<Style>> FindStyles(const Settings& settings);

// `tell` is called with each result when it is known. An error means that the
// machine does not let the checks be done.
absl::StatusOr<std::vector<Result>> RunChecks(
    const Settings& settings, const Selection& selection,
    const std::function<void(const Result&)>& tell);

// "exec" or "helper".
std::string StyleName(Style style);

}  // namespace conformance
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_RUNNER_H_

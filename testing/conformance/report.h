// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Results, for people and for machines.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_REPORT_H_
#define EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_REPORT_H_

#include <string>
#include <vector>

#include "external_containerizer/testing/conformance/checks.h"
#include "external_containerizer/testing/conformance/runner.h"

namespace external_containerizer {
namespace conformance {

// Whether the program does not pass because of it: a check of level must that
// failed or could not be judged; with `strict`, of any level.
bool Counts(const Result& result, bool strict);

// All checks, a line each; as JSON, an object each:
//   {"name":...,"level":...,"rule":...,"styles":...,"says":...}
std::string ListText(const std::vector<Check>& checks);
std::string ListJson(const std::vector<Check>& checks);

// One result, as it comes: a line, and what is wrong below it.
std::string ResultText(const Result& result);
//   {"type":"check","style":...,"name":...,"level":...,"result":...,"why":...,
//    "rule":...,"says":...,"seconds":...}
// `result` is "passed", "failed", "not judged" or "skipped".
std::string ResultJson(const Result& result);

// How many of what, and what that means.
std::string SummaryText(const std::vector<Result>& results, bool strict);
//   {"type":"summary","passed":...,"failed":...,"not_judged":...,"skipped":...,
//    "conforms":...}
std::string SummaryJson(const std::vector<Result>& results, bool strict);

// JUnit's XML. A failure that does not count is shown as skipped, with the
// reason.
std::string JUnit(const std::string& program,
                  const std::vector<Result>& results, bool strict);

}  // namespace conformance
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_REPORT_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/conformance/runner.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "external_containerizer/transport/linux/clock.h"

namespace external_containerizer {
namespace conformance {
namespace {

using Benches = absl::StatusOr<std::unique_ptr<Bench>>;

bool Applies(const Check& check, Style style) {
  return check.styles == Check::For::kBoth ||
         (check.styles == Check::For::kExec) == (style == Style::kExec);
}

}  // namespace

std::string StyleName(Style style) {
  return style == Style::kExec ? "exec" : "helper";
}

absl::StatusOr<std::vector<Style>> FindStyles(const Settings& settings) {
  Hangs hangs;
  Benches helper = Bench::Create(settings, Style::kHelper, hangs);
  if (!helper.ok()) return helper.status();
  if (!(*helper)->helper().Connect().ok()) return std::vector{Style::kExec};
  Benches exec = Bench::Create(settings, Style::kExec, hangs);
  if (!exec.ok()) return exec.status();
  if (!(*exec)->Run("containers").success) return std::vector{Style::kHelper};
  return std::vector{Style::kExec, Style::kHelper};
}

absl::StatusOr<std::vector<Result>> RunChecks(
    const Settings& settings, const Selection& selection,
    const std::function<void(const Result&)>& tell) {
  std::vector<Result> results;
  for (const Style style : selection.styles) {
    Hangs hangs;
    for (Check& check : AllChecks()) {
      if (!Applies(check, style)) continue;
      if (!selection.only.empty() && selection.only.count(check.name) == 0) {
        continue;
      }
      const absl::Duration begin = MonotonicNow();
      Result result{style, std::move(check), Verdict(), absl::ZeroDuration()};
      if (selection.lacking.count(result.check.needs) != 0) {
        result.verdict = {Verdict::Kind::kSkipped, "switched off"};
      } else {
        Benches bench = Bench::Create(settings, style, hangs);
        if (!bench.ok()) return bench.status();
        (*bench)->Require(!settings.stopped(), "the run was stopped");
        if ((*bench)->ok()) result.check.run(**bench);
        result.verdict = (*bench)->verdict();
      }
      result.took = MonotonicNow() - begin;
      tell(result);
      results.push_back(std::move(result));
    }
  }
  return results;
}

}  // namespace conformance
}  // namespace external_containerizer

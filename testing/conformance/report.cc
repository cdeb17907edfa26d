// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/conformance/report.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/json.h"

namespace external_containerizer {
namespace conformance {
namespace {

using Kind = Verdict::Kind;

constexpr size_t kColumns = 79;
constexpr char kIndent[] = "           ";

std::string LevelName(Level level) {
  return level == Level::kMust ? "must" : "should";
}

std::string StylesName(Check::For styles) {
  switch (styles) {
    case Check::For::kExec:
      return "exec";
    case Check::For::kHelper:
      return "helper";
    case Check::For::kBoth:
      break;
  }
  return "exec helper";
}

std::string KindName(Kind kind) {
  switch (kind) {
    case Kind::kFailed:
      return "failed";
    case Kind::kNotJudged:
      return "not judged";
    case Kind::kSkipped:
      return "skipped";
    case Kind::kPassed:
      break;
  }
  return "passed";
}

// In lines of their own, indented.
std::string Wrapped(absl::string_view text) {
  std::string lines;
  size_t column = kColumns;
  for (const absl::string_view word : absl::StrSplit(text, ' ')) {
    if (column + 1 + word.size() >= kColumns) {
      absl::StrAppend(&lines, "\n", kIndent, word);
      column = sizeof(kIndent) - 1 + word.size();
    } else {
      absl::StrAppend(&lines, " ", word);
      column += 1 + word.size();
    }
  }
  return lines;
}

std::string Rule(const Check& check) {
  return absl::StrCat("docs/protocol.md, ", check.rule, ": ", check.says);
}

JsonObject AsJson(const Check& check) {
  return JsonObject()
      .Text("name", check.name)
      .Text("level", LevelName(check.level))
      .Text("rule", check.rule)
      .Text("says", check.says);
}

std::map<Kind, int> Count(const std::vector<Result>& results) {
  std::map<Kind, int> counts;
  for (const Result& result : results) ++counts[result.verdict.kind];
  return counts;
}

bool Conforms(const std::vector<Result>& results, bool strict) {
  return std::none_of(
      results.begin(), results.end(),
      [strict](const Result& result) { return Counts(result, strict); });
}

std::string Xml(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

}  // namespace

bool Counts(const Result& result, bool strict) {
  if (!strict && result.check.level == Level::kShould) return false;
  return result.verdict.kind == Kind::kFailed ||
         result.verdict.kind == Kind::kNotJudged;
}

std::string ListText(const std::vector<Check>& checks) {
  std::string text;
  for (const Check& check : checks) {
    absl::StrAppendFormat(&text, "%-7s%-22s%s\n", LevelName(check.level),
                          check.name, check.says);
  }
  return text;
}

std::string ListJson(const std::vector<Check>& checks) {
  std::string text;
  for (const Check& check : checks) {
    absl::StrAppend(
        &text,
        AsJson(check).Text("styles", StylesName(check.styles)).ToString(),
        "\n");
  }
  return text;
}

std::string ResultText(const Result& result) {
  const Kind kind = result.verdict.kind;
  std::string text =
      absl::StrFormat("%-11s%-7s%-22s%5.1f s",
                      kind == Kind::kFailed ? "FAILED" : KindName(kind),
                      LevelName(result.check.level), result.check.name,
                      absl::ToDoubleSeconds(result.took));
  if (kind == Kind::kFailed) {
    absl::StrAppend(&text, Wrapped(result.verdict.why),
                    Wrapped(Rule(result.check)));
  } else if (kind == Kind::kNotJudged) {
    absl::StrAppend(&text, Wrapped(result.verdict.why));
  }
  return absl::StrCat(text, "\n");
}

std::string ResultJson(const Result& result) {
  return absl::StrCat(JsonObject()
                          .Text("type", "check")
                          .Text("style", StyleName(result.style))
                          .Append(AsJson(result.check))
                          .Text("result", KindName(result.verdict.kind))
                          .Text("why", result.verdict.why)
                          .Number("seconds", absl::ToDoubleSeconds(result.took))
                          .ToString(),
                      "\n");
}

std::string SummaryText(const std::vector<Result>& results, bool strict) {
  std::map<Kind, int> counts = Count(results);
  std::string text = absl::StrCat("\n", counts[Kind::kPassed], " of ",
                                  results.size(), " checks passed");
  for (const Kind kind : {Kind::kFailed, Kind::kNotJudged, Kind::kSkipped}) {
    if (counts[kind] == 0) continue;
    std::vector<std::string> names;
    for (const Result& result : results) {
      if (result.verdict.kind == kind) names.push_back(result.check.name);
    }
    absl::StrAppend(&text, "\n", KindName(kind), ": ",
                    absl::StrJoin(names, " "));
  }
  if (Conforms(results, strict)) {
    absl::StrAppend(&text, "\nThe program conforms.\n");
  } else {
    absl::StrAppend(&text,
                    "\nThe program does not conform. Mend what is FAILED, and "
                    "run these alone with --only=NAME.\n");
  }
  return text;
}

std::string SummaryJson(const std::vector<Result>& results, bool strict) {
  std::map<Kind, int> counts = Count(results);
  return absl::StrCat(JsonObject()
                          .Text("type", "summary")
                          .Integer("passed", counts[Kind::kPassed])
                          .Integer("failed", counts[Kind::kFailed])
                          .Integer("not_judged", counts[Kind::kNotJudged])
                          .Integer("skipped", counts[Kind::kSkipped])
                          .Boolean("conforms", Conforms(results, strict))
                          .ToString(),
                      "\n");
}

std::string JUnit(const std::string& program,
                  const std::vector<Result>& results, bool strict) {
  std::string cases;
  absl::Duration took;
  int failures = 0, skipped = 0;
  for (const Result& result : results) {
    took += result.took;
    absl::StrAppendFormat(
        &cases, "    <testcase name=\"%s\" classname=\"%s\" time=\"%.3f\">",
        Xml(result.check.name), StyleName(result.style),
        absl::ToDoubleSeconds(result.took));
    if (result.verdict.kind != Kind::kPassed) {
      const bool counts = Counts(result, strict);
      ++(counts ? failures : skipped);
      absl::StrAppendFormat(
          &cases, "\n      <%s message=\"%s: %s\">%s</%s>\n    ",
          counts ? "failure" : "skipped", KindName(result.verdict.kind),
          Xml(result.verdict.why), Xml(Rule(result.check)),
          counts ? "failure" : "skipped");
    }
    absl::StrAppend(&cases, "</testcase>\n");
  }
  return absl::StrFormat(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites>\n"
      "  <testsuite name=\"%s\" tests=\"%d\" failures=\"%d\" skipped=\"%d\" "
      "time=\"%.3f\">\n%s  </testsuite>\n</testsuites>\n",
      Xml(program), results.size(), failures, skipped,
      absl::ToDoubleSeconds(took), cases);
}

}  // namespace conformance
}  // namespace external_containerizer

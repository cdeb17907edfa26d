// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Tests whether a program conforms: see README.md.

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/program/flags.h"
#include "external_containerizer/testing/conformance/checks.h"
#include "external_containerizer/testing/conformance/processes.h"
#include "external_containerizer/testing/conformance/report.h"
#include "external_containerizer/testing/conformance/runner.h"

namespace external_containerizer {
namespace conformance {
namespace {

constexpr int kCannotRun = 2;

volatile sig_atomic_t stop = 0;

const std::vector<Flag>& KnownFlags() {
  static const auto& flags = *new std::vector<Flag>{
      {"style", "STYLE",
       "How the program is called: exec, one process per command; helper, one "
       "process that serves all; auto, each of the two that it knows. Default: "
       "auto"},
      {"only", "NAME,...", "Run these checks alone."},
      {"no-usage", "", "The program has no usage."},
      {"no-update", "", "The program has no update."},
      {"no-arguments", "",
       "The program knows a shell's text alone, as those of Mesos 0.19 do."},
      {"strict", "", "What a program should do, it must."},
      {"inherit", "NAME",
       "The program inherits this variable, too; NAME* names all that begin "
       "so. Can be given several times."},
      {"timeout", "DURATION", "For each command. Default: 10s"},
      {"limit", "DURATION",
       "For all checks; those that are left are not judged. Default: 200s"},
      {"list", "", "Print the checks, and run none."},
      {"json", "", "Print one JSON object per line."},
      {"help", "", "Print this."},
  };
  return flags;
}

constexpr char kUsage[] =
    "usage: check [FLAGS] -- PROGRAM [ARGUMENTS]\n"
    "\n"
    "Tests whether PROGRAM is an external containerizer program: runs it as "
    "an\n"
    "agent would, `PROGRAM [ARGUMENTS] launch` and so on, in directories of "
    "its\n"
    "own. Exits with 0 if the program conforms, 1 if not, and 2 if that could\n"
    "not be found out. With $XML_OUTPUT_FILE, writes JUnit's XML there.\n"
    "\n";

int Error(absl::string_view message) {
  fprintf(stderr, "check: %s\n", std::string(message).c_str());
  return kCannotRun;
}

// An absolute path of what the user named.
std::string Absolute(const std::string& program) {
  if (absl::StartsWith(program, "/")) return program;
  // Under `bazel run` the working directory is another one.
  const char* directory = getenv("BUILD_WORKING_DIRECTORY");
  char current[4096];
  if (directory == nullptr) directory = getcwd(current, sizeof(current));
  return absl::StrCat(directory == nullptr ? "" : directory, "/", program);
}

absl::StatusOr<Selection> Select(const Flags& flags) {
  Selection selection;
  const std::string style = flags.Value("style", "auto");
  if (style == "exec") {
    selection.styles = {Style::kExec};
  } else if (style == "helper") {
    selection.styles = {Style::kHelper};
  } else if (style != "auto") {
    return absl::InvalidArgumentError(
        absl::StrCat("--style is exec, helper or auto, not \"", style, "\""));
  }
  std::vector<std::string> names;
  for (const Check& check : AllChecks()) names.push_back(check.name);
  for (const std::string& list : flags.Values("only")) {
    for (const std::string& name : std::vector<std::string>(
             absl::StrSplit(list, ',', absl::SkipEmpty()))) {
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        const std::string near = Nearest(name, names);
        return absl::InvalidArgumentError(absl::StrCat(
            "there is no check \"", name, "\"",
            near.empty()
                ? absl::StrCat("; the checks are ", absl::StrJoin(names, ", "))
                : absl::StrCat("; did you mean ", near, "?")));
      }
      selection.only.insert(name);
    }
  }
  if (flags.On("no-usage")) selection.lacking.insert(Check::Needs::kUsage);
  if (flags.On("no-update")) selection.lacking.insert(Check::Needs::kUpdate);
  if (flags.On("no-arguments")) {
    selection.lacking.insert(Check::Needs::kArguments);
  }
  return selection;
}

absl::Status WriteFile(const char* path, const std::string& text) {
  FILE* const file = fopen(path, "we");
  const bool written = file != nullptr && fputs(text.c_str(), file) >= 0;
  if (file != nullptr && fclose(file) == 0 && written) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot write ", path));
}

void Print(const std::string& text) {
  fputs(text.c_str(), stdout);
  fflush(stdout);
}

int Run(const Settings& settings, Selection selection, const Flags& flags) {
  const bool json = flags.On("json"), strict = flags.On("strict");
  if (selection.styles.empty()) {
    absl::StatusOr<std::vector<Style>> styles = FindStyles(settings);
    if (!styles.ok()) return Error(styles.status().message());
    selection.styles = *std::move(styles);
  }
  Style last = Style::kHelper;
  bool first = true;
  const auto tell = [&](const Result& result) {
    if (json) return Print(ResultJson(result));
    if (first || result.style != last) {
      Print(absl::StrCat(first ? "" : "\n", settings.program[0],
                         result.style == Style::kExec
                             ? ", one process per command\n"
                             : ", a helper that stays\n"));
    }
    first = false;
    last = result.style;
    Print(ResultText(result));
  };
  const absl::StatusOr<std::vector<Result>> results =
      RunChecks(settings, selection, tell);
  if (!results.ok()) return Error(results.status().message());
  if (results->empty()) return Error("none of these checks is for this style");
  Print(json ? SummaryJson(*results, strict) : SummaryText(*results, strict));
  if (const char* path = getenv("XML_OUTPUT_FILE")) {
    const absl::Status written =
        WriteFile(path, JUnit(settings.program[0], *results, strict));
    if (!written.ok()) return Error(written.message());
  }
  for (const Result& result : *results) {
    if (Counts(result, strict)) return 1;
  }
  return 0;
}

int Main(const std::vector<std::string>& arguments) {
  const absl::StatusOr<Flags> flags = Flags::Parse(KnownFlags(), arguments);
  if (!flags.ok()) return Error(flags.status().message());
  if (flags->On("help")) {
    Print(kUsage + HelpOn(KnownFlags()));
    return 0;
  }
  if (flags->On("list")) {
    Print(flags->On("json") ? ListJson(AllChecks()) : ListText(AllChecks()));
    return 0;
  }
  const absl::StatusOr<Selection> selection = Select(*flags);
  if (!selection.ok()) return Error(selection.status().message());
  if (flags->rest().empty()) return Error("no program is named; see --help");

  Settings settings;
  settings.program = flags->rest();
  settings.program[0] = Absolute(settings.program[0]);
  settings.inherit = flags->Values("inherit");
  settings.stopped = [] { return stop != 0; };
  absl::Duration limit;
  if (!absl::ParseDuration(flags->Value("timeout", "10s"), &settings.timeout) ||
      !absl::ParseDuration(flags->Value("limit", "200s"), &limit)) {
    return Error("a duration is a number and a unit, such as 10s");
  }
  settings.limit = Deadline(limit);
  if (access(settings.program[0].c_str(), X_OK) != 0) {
    return Error(absl::StrCat("cannot execute ", settings.program[0], ": ",
                              strerror(errno)));
  }
  const absl::Status adopted = AdoptDescendants();
  if (!adopted.ok()) return Error(adopted.message());
  const char* temporary = getenv("TEST_TMPDIR");
  if (temporary == nullptr) temporary = getenv("TMPDIR");
  settings.directory = absl::StrCat(temporary == nullptr ? "/tmp" : temporary,
                                    "/conformance.XXXXXX");
  if (mkdtemp(settings.directory.data()) == nullptr) {
    return Error(absl::StrCat("cannot make a directory like ",
                              settings.directory, ": ", strerror(errno)));
  }
  const int status = Run(settings, *selection, *flags);
  rmdir(settings.directory.c_str());
  return status;
}

}  // namespace
}  // namespace conformance
}  // namespace external_containerizer

int main(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    signal(number, [](int) { external_containerizer::conformance::stop = 1; });
  }
  return external_containerizer::conformance::Main(
      std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}

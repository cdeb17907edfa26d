// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/inspect_command.h"

#include <signal.h>

#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/inspect.h"
#include "external_containerizer/containerizer/agent/report.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/containerizer/agent/subcommand.h"
#include "external_containerizer/containerizer/agent/user_paths.h"
#include "external_containerizer/containerizer/program/flags.h"

namespace external_containerizer {
namespace {

constexpr int kDamaged = 1;
constexpr size_t kLinesAtOnce = size_t{64} << 10;  // Bytes of them.

const std::vector<Flag>& InspectFlags() {
  static const auto& flags = *new std::vector<Flag>{
      {"work_dir", "DIR", "The same as the argument."},
      {"json", "",
       "Prints one JSON object per line; \"type\" says what it is: work_dir, "
       "agent, framework, executor, run, task, update, damage, notice, "
       "truncation, summary, error."},
      {"help", "", "Shows this.", 'h'},
  };
  return flags;
}

std::string InspectHelp() {
  return absl::StrCat(
      "Shows what an agent wrote down in its work directory: frameworks, "
      "executors,\nruns and their ends, tasks and their updates, resources, "
      "and what of it is damaged.\nReads what any Mesos agent from 0.20 to "
      "1.11 wrote, alive, dead or of another\nmachine. Changes nothing.\n\n"
      "Usage: agent inspect [FLAGS] DIR\n\n",
      HelpOn(InspectFlags()),
      "\nA run is running, unacknowledged (its launch was never known to "
      "succeed, or a\nlater run replaced it) or completed, as recovery would "
      "decide.\n\n"
      "Exit status: 0; 1 if something is damaged; 125 if it cannot be "
      "read.\n");
}

struct InspectOptions {
  std::string work_dir;
  bool json = false;
  bool help = false;
};

// Flags may also stand behind the directory.
absl::StatusOr<InspectOptions> Parse(
    const Surroundings& surroundings,
    const std::vector<std::string>& arguments) {
  InspectOptions options;
  std::vector<std::string> directories, left = arguments;
  do {
    absl::StatusOr<Flags> flags = Flags::Parse(InspectFlags(), left);
    if (!flags.ok()) return flags.status();
    options.json = options.json || flags->On("json");
    options.help = options.help || flags->On("help");
    for (const std::string& directory : flags->Values("work_dir")) {
      directories.push_back(directory);
    }
    left = flags->rest();
    if (!left.empty()) {
      directories.push_back(left[0]);
      left.erase(left.begin());
    }
  } while (!left.empty());
  if (options.help) return options;
  if (directories.size() > 1) {
    return absl::InvalidArgumentError("one directory at a time");
  }
  if (directories.size() == 1 && directories[0].empty()) {
    return absl::InvalidArgumentError("the directory's name is empty");
  }
  absl::StatusOr<std::string> work_dir =
      directories.empty() ? DefaultWorkDirectory(surroundings)
                          : UserPath(surroundings, directories[0]);
  if (!work_dir.ok()) return work_dir.status();
  options.work_dir = *std::move(work_dir);
  return options;
}

int InspectMain(const Surroundings& surroundings,
                const std::vector<std::string>& arguments) {
  const absl::StatusOr<InspectOptions> options = Parse(surroundings, arguments);
  if (!options.ok()) {
    return UsageError("inspect", std::string(options.status().message()));
  }
  if (options->help) {
    Print(InspectHelp());
    return 0;
  }
  // Who reads only the beginning still learns by the exit status what is known
  // before the first line.
  signal(SIGPIPE, SIG_IGN);
  const absl::StatusOr<Inspection> inspection = Inspect(options->work_dir);
  if (!inspection.ok()) {
    if (options->json) {
      Print(absl::StrCat(ErrorJson(inspection.status()).ToString(), "\n"));
    }
    fprintf(stderr, "agent: %s\n",
            OneLine(inspection.status().message()).c_str());
    return kAgentFailed;
  }
  std::string lines;
  const auto put = [&](absl::string_view line) {
    absl::StrAppend(&lines, line, "\n");
    return lines.size() < kLinesAtOnce || Print(std::exchange(lines, ""));
  };
  if (options->json) {
    InspectAsJson(*inspection, put);
  } else {
    InspectAsText(*inspection, put);
  }
  Print(lines);
  return IsDamaged(inspection->state) ? kDamaged : 0;
}

}  // namespace

Subcommand InspectSubcommand() {
  return {"inspect", "Shows what an agent wrote down, and what is damaged.",
          InspectMain};
}

}  // namespace external_containerizer

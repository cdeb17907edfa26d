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
#include "external_containerizer/containerizer/agent/task_flags.h"
#include "external_containerizer/containerizer/agent/user_paths.h"
#include "external_containerizer/containerizer/program/flags.h"

namespace external_containerizer {
namespace {

constexpr int kDamaged = 1;
constexpr size_t kBytesAtOnce = size_t{64} << 10;

absl::StatusOr<std::string> DirectoryOf(const Call& call) {
  if (call.arguments().empty()) return WorkDirectoryOf(call);
  if (!call.flags.Values("work_dir").empty()) {
    return absl::InvalidArgumentError("one directory at a time");
  }
  if (call.arguments()[0].empty()) {
    return absl::InvalidArgumentError("the directory's name is empty");
  }
  return UserPath(call.surroundings, call.arguments()[0]);
}

absl::StatusOr<int> InspectDirectory(const Call& call) {
  const absl::StatusOr<std::string> work_dir = DirectoryOf(call);
  if (!work_dir.ok()) return work_dir.status();
  const bool json = call.flags.On("json");
  // A reader that closes the pipe early (`| head`) must still get the exit
  // status that tells of damage.
  signal(SIGPIPE, SIG_IGN);
  const absl::StatusOr<Inspection> inspection = Inspect(*work_dir);
  if (!inspection.ok()) return Fail(inspection.status(), json);
  std::string lines;
  const auto put = [&](absl::string_view line) {
    absl::StrAppend(&lines, line, "\n");
    return lines.size() < kBytesAtOnce || Print(std::exchange(lines, ""));
  };
  ShowInspection(*inspection, json, put);
  Print(lines);
  return IsDamaged(inspection->state) ? kDamaged : 0;
}

}  // namespace

Subcommand InspectSubcommand() {
  Subcommand inspect = {"inspect",
                        "Shows what an agent wrote down, and what is damaged."};
  inspect.usage = "DIR";
  inspect.description =
      "Shows what an agent wrote down in its work directory: frameworks, "
      "executors,\nruns and their ends, tasks and their updates, resources, "
      "and what of it is damaged.\nReads what any Mesos agent from 0.20 to "
      "1.11 wrote, alive, dead or of another\nmachine. Changes nothing.\n";
  inspect.flags = {
      {"work_dir", "DIR", "The same as the argument."},
      {"json", "",
       "Prints one JSON object per line; \"type\" says what it is: work_dir, "
       "agent, framework, executor, run, task, update, damage, notice, "
       "truncation, summary, error."},
  };
  inspect.notes =
      "A run is running, unacknowledged (its launch was never known to "
      "succeed, or a\nlater run replaced it) or completed, as recovery would "
      "decide.\n\n"
      "Exit status: 0; 1 if something is damaged; 125 if it cannot be read.\n";
  inspect.max_arguments = 1;
  inspect.run = InspectDirectory;
  return inspect;
}

}  // namespace external_containerizer

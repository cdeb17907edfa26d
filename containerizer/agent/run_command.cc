// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/run_command.h"

#include <unistd.h>

#include <cstdio>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/program_setup.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/containerizer/agent/task_flags.h"
#include "external_containerizer/containerizer/program/flags.h"

namespace external_containerizer {
namespace {

const std::vector<Flag>& RunFlags() {
  static const auto& flags = *new std::vector<Flag>(Joined({
      ProgramFlags(),
      {{"work_dir", "DIR",
        "Where runs keep their files while they last, each in a directory of "
        "its own below DIR/run. Default: "
        "$XDG_STATE_HOME/external_containerizer or "
        "~/.local/state/external_containerizer."}},
      TaskFlags(),
      {{"json", "",
        "Prints one JSON object per line on stdout, and nothing else there; "
        "\"type\" says what it is: container, event, usage, stdout, stderr, "
        "notice, error, end. Output of the command is in \"data\", or in "
        "\"base64\" if it is not UTF-8."},
       {"verbose", "", "Says on stderr what happens to the container.", 'v'},
       HelpFlag()},
  }));
  return flags;
}

bool CanShowStatus(const Surroundings& surroundings) {
  const auto term = surroundings.environment.find("TERM");
  return isatty(STDERR_FILENO) == 1 &&
         (term == surroundings.environment.end() || term->second != "dumb");
}

int RunMain(const Surroundings& surroundings,
            const std::vector<std::string>& arguments) {
  const absl::StatusOr<Flags> flags = Flags::Parse(RunFlags(), arguments);
  if (flags.ok() && flags->On("help")) {
    Print(RunHelp());
    return 0;
  }
  absl::StatusOr<RunOptions> options = ParseRun(surroundings, arguments);
  if (!options.ok()) {
    return UsageError("run", std::string(options.status().message()));
  }
  options->live = !options->json && CanShowStatus(surroundings);
  return RunContainer(*options);
}

}  // namespace

Subcommand RunSubcommand() {
  return {"run", "Runs one command as a container and waits for its end.",
          RunMain};
}

std::string RunHelp() {
  return absl::StrCat(
      "Runs one command as a container: shows its output while it runs, says "
      "on stderr\nhow it ended and what it used, and exits with its exit "
      "code.\n\n"
      "Usage: agent run [FLAGS] -- COMMAND [ARGUMENT ...]\n\n",
      HelpOn(RunFlags()),
      "\nThe command is executed as it is; for pipes and variables use a "
      "shell. It works\nin an empty directory, its sandbox, which is removed "
      "at the end. Stdin is not\npassed on: posix gives the command an empty "
      "one.\n\n"
      "Examples:\n"
      "  agent run -- sh -c 'echo hello; echo oops >&2; exit 3'\n"
      "  agent run --resources='cpus:0.5;mem:64' --env=SIZE=10 -- ./job.sh\n"
      "  agent run --user=nobody -- id\n"
      "  agent run --containerizer_path=./my_program -v -- sleep 10\n"
      "  agent run --json -- date | jq -r 'select(.type==\"stdout\").data'\n\n"
      "Ctrl-C destroys the container and waits until it is gone; a second one "
      "stops\nwaiting. A container whose agent is killed goes on; the next "
      "agent run with the\nsame --work_dir destroys it.\n\n"
      "Exit status: the command's; 128+N if signal N ended it, or ended the "
      "agent. As\nshells have it, 127 if there is no such command, and 126 if "
      "it "
      "cannot be\nexecuted, where the program says so, as posix does. 125 for "
      "all "
      "else that fails.\n");
}

absl::StatusOr<RunOptions> ParseRun(const Surroundings& surroundings,
                                    const std::vector<std::string>& arguments) {
  const absl::StatusOr<Flags> flags = Flags::Parse(RunFlags(), arguments);
  if (!flags.ok()) return flags.status();
  RunOptions options;
  options.verbose = flags->On("verbose");
  options.json = flags->On("json");

  absl::StatusOr<TaskCommand> command =
      TaskCommandOf(surroundings, *flags, "run");
  if (!command.ok()) return command.status();
  options.command = *std::move(command);

  absl::StatusOr<Resources> resources = ResourcesOf(*flags);
  if (!resources.ok()) return resources.status();
  options.resources = *std::move(resources);

  absl::StatusOr<std::string> directory = WorkDirectoryOf(surroundings, *flags);
  if (!directory.ok()) return directory.status();
  options.work_dir = *std::move(directory);

  absl::StatusOr<ProgramSetup> program = ProgramOf(surroundings, *flags);
  if (!program.ok()) return program.status();
  options.program = *std::move(program);

  // Here a name service that does not answer holds up nobody else.
  const absl::StatusOr<std::optional<Sandbox::Owner>> owner =
      SandboxOwner(options.command.user, options.program.is_posix);
  if (!owner.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--user: ", owner.status().message()));
  }
  options.owner = *owner;
  return options;
}

}  // namespace external_containerizer

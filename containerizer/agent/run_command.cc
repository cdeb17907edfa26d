// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/run_command.h"

#include <unistd.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/program_setup.h"
#include "external_containerizer/containerizer/agent/task_flags.h"

namespace external_containerizer {
namespace {

bool CanShowStatus(const Surroundings& surroundings) {
  const auto term = surroundings.environment.find("TERM");
  return isatty(STDERR_FILENO) == 1 &&
         (term == surroundings.environment.end() || term->second != "dumb");
}

absl::StatusOr<int> Run(const Call& call) {
  absl::StatusOr<RunOptions> options = RunOptionsOf(call);
  if (!options.ok()) return options.status();
  options->live = !options->json && CanShowStatus(call.surroundings);
  return RunContainer(*options);
}

}  // namespace

Subcommand RunSubcommand() {
  Subcommand run = {"run",
                    "Runs one command as a container and waits for its end."};
  run.usage = "-- COMMAND [ARGUMENT ...]";
  run.description =
      "Runs one command as a container: shows its output while it runs, says "
      "on stderr\nhow it ended and what it used, and exits with its exit "
      "code.\n";
  run.flags = JoinFlags({
      ProgramFlags(),
      {WorkDirFlag("Where runs keep their files while they last, each in a "
                   "directory of its own below DIR/run.")},
      TaskFlags(),
      {{"json", "",
        "Prints one JSON object per line on stdout, and nothing else there; "
        "\"type\" says what it is: container, event, usage, stdout, stderr, "
        "notice, error, end. Output of the command is in \"data\", or in "
        "\"base64\" if it is not UTF-8."},
       {"verbose", "", "Says on stderr what happens to the container.", 'v'}},
  });
  run.notes =
      "The command is executed as it is; for pipes and variables use a shell. "
      "It works\nin an empty directory, its sandbox, which is removed at the "
      "end. Stdin is not\npassed on: posix gives the command an empty one.\n\n"
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
      "it cannot be\nexecuted, where the program says so, as posix does. 125 "
      "for all else that fails.\n";
  run.max_arguments = Subcommand::kCommand;
  run.run = Run;
  return run;
}

absl::StatusOr<RunOptions> RunOptionsOf(const Call& call) {
  RunOptions options;
  options.verbose = call.flags.On("verbose");
  options.json = call.flags.On("json");

  absl::StatusOr<TaskCommand> command = TaskCommandOf(call, "run");
  if (!command.ok()) return command.status();
  options.command = *std::move(command);

  absl::StatusOr<Resources> resources = ResourcesOf(call);
  if (!resources.ok()) return resources.status();
  options.resources = *std::move(resources);

  absl::StatusOr<std::string> directory = WorkDirectoryOf(call);
  if (!directory.ok()) return directory.status();
  options.work_dir = *std::move(directory);

  absl::StatusOr<ProgramSetup> program = ProgramOf(call);
  if (!program.ok()) return program.status();
  options.program = *std::move(program);

  // This may wait for a name service, so it is done before the run begins.
  options.owner = SandboxOwner(options.command.user);
  return options;
}

}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/serve_command.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/program_setup.h"
#include "external_containerizer/containerizer/agent/task_flags.h"

namespace external_containerizer {
namespace {

absl::StatusOr<int> RunServe(const Call& call) {
  const absl::StatusOr<ServeOptions> options = ServeOptionsOf(call);
  if (!options.ok()) return options.status();
  return Serve(*options);
}

}  // namespace

Subcommand ServeSubcommand() {
  Subcommand serve = {"serve",
                      "Stands and runs containers for launch, list, wait, ..."};
  serve.description =
      "Runs containers for whoever asks at its socket, and takes them back "
      "when it was\nkilled and is started again.\n";
  serve.flags = JoinFlags({
      {WorkDirFlag("Where the agent keeps what it must remember, its "
                   "containers' files, and its socket. One agent at a time.")},
      ProgramFlags(),
      {{"recover", "HOW",
        "What becomes of the containers of the agent before this one: "
        "reconnect (the default) takes them back; cleanup destroys them, and "
        "then the agent ends."},
       {"orphans", "WHICH",
        "Which containers that the program lists, and that this agent does not "
        "hold, are destroyed at the start: own (the default) those that its "
        "records name; all, which kills what other agents on this machine "
        "run; report none, but `agent destroy` works on them."},
       {"lenient", "",
        "Starts although some of what it remembers cannot be read; the "
        "containers that this concerns are not taken back."},
       {"verbose", "", "Says on stderr which commands the program is given.",
        'v'}},
  });
  serve.notes =
      "Example:\n"
      "  agent serve --work_dir=/var/lib/agent &\n"
      "  agent launch --work_dir=/var/lib/agent --name=one -- sleep 600\n"
      "  agent list --work_dir=/var/lib/agent\n\n"
      "SIGTERM, SIGINT and SIGHUP end it; containers go on.\n\n"
      "Exit status: 0 when it was told to end; 125 if it failed.\n";
  serve.run = RunServe;
  return serve;
}

absl::StatusOr<ServeOptions> ServeOptionsOf(const Call& call) {
  ServeOptions options;
  options.lenient = call.flags.On("lenient");
  options.verbose = call.flags.On("verbose");

  const std::string recover = call.flags.Value("recover", "reconnect");
  if (recover != "reconnect" && recover != "cleanup") {
    return absl::InvalidArgumentError(
        absl::StrCat("--recover=", absl::CHexEscape(recover.substr(0, 100)),
                     ": it is reconnect or cleanup"));
  }
  options.cleanup = recover == "cleanup";

  const std::string orphans = call.flags.Value("orphans", "own");
  bool known = false;
  for (const OrphanPolicy policy :
       {OrphanPolicy::kOwn, OrphanPolicy::kAll, OrphanPolicy::kReport}) {
    if (orphans != OrphanPolicyName(policy)) continue;
    options.orphans = policy;
    known = true;
  }
  if (!known) {
    return absl::InvalidArgumentError(
        absl::StrCat("--orphans=", absl::CHexEscape(orphans.substr(0, 100)),
                     ": it is own, all or report"));
  }

  absl::StatusOr<std::string> directory = WorkDirectoryOf(call);
  if (!directory.ok()) return directory.status();
  options.work_dir = *std::move(directory);
  absl::StatusOr<ProgramSetup> program = ProgramOf(call);
  if (!program.ok()) return program.status();
  options.program = *std::move(program);
  return options;
}

}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/serve_command.h"

#include <cstdio>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/program_setup.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/containerizer/agent/task_flags.h"
#include "external_containerizer/containerizer/program/flags.h"

namespace external_containerizer {
namespace {

const std::vector<Flag>& ServeFlags() {
  static const auto& flags = *new std::vector<Flag>(Joined({
      {{"work_dir", "DIR",
        "Where the agent keeps what it must remember, its containers' files, "
        "and its socket. One agent at a time. Default: "
        "$XDG_STATE_HOME/external_containerizer or "
        "~/.local/state/external_containerizer."}},
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
        'v'},
       HelpFlag()},
  }));
  return flags;
}

int ServeMain(const Surroundings& surroundings,
              const std::vector<std::string>& arguments) {
  const absl::StatusOr<Flags> flags = Flags::Parse(ServeFlags(), arguments);
  if (flags.ok() && flags->On("help")) {
    Print(ServeHelp());
    return 0;
  }
  const absl::StatusOr<ServeOptions> options =
      ParseServe(surroundings, arguments);
  if (!options.ok()) {
    return UsageError("serve", std::string(options.status().message()));
  }
  return Serve(*options);
}

}  // namespace

Subcommand ServeSubcommand() {
  return {"serve", "Stands and runs containers for launch, list, wait, ...",
          ServeMain};
}

std::string ServeHelp() {
  return absl::StrCat(
      "Runs containers for whoever asks at its socket, and takes them back "
      "when it was\nkilled and is started again.\n\n"
      "Usage: agent serve [FLAGS]\n\n",
      HelpOn(ServeFlags()),
      "\nExample:\n"
      "  agent serve --work_dir=/var/lib/agent &\n"
      "  agent launch --work_dir=/var/lib/agent --name=one -- sleep 600\n"
      "  agent list --work_dir=/var/lib/agent\n\n"
      "SIGTERM, SIGINT and SIGHUP end it; containers go on.\n\n"
      "Exit status: 0 when it was told to end; 125 if it failed.\n");
}

absl::StatusOr<ServeOptions> ParseServe(
    const Surroundings& surroundings,
    const std::vector<std::string>& arguments) {
  const absl::StatusOr<Flags> flags = Flags::Parse(ServeFlags(), arguments);
  if (!flags.ok()) return flags.status();
  if (!flags->rest().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "serve takes no arguments, and \"",
        absl::CHexEscape(flags->rest()[0].substr(0, 100)), "\" is one"));
  }
  ServeOptions options;
  options.lenient = flags->On("lenient");
  options.verbose = flags->On("verbose");

  const std::string recover = flags->Value("recover", "reconnect");
  if (recover != "reconnect" && recover != "cleanup") {
    return absl::InvalidArgumentError(
        absl::StrCat("--recover=", absl::CHexEscape(recover.substr(0, 100)),
                     ": it is reconnect or cleanup"));
  }
  options.cleanup = recover == "cleanup";

  const std::string orphans = flags->Value("orphans", "own");
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

  absl::StatusOr<std::string> directory = WorkDirectoryOf(surroundings, *flags);
  if (!directory.ok()) return directory.status();
  options.work_dir = *std::move(directory);
  absl::StatusOr<ProgramSetup> program = ProgramOf(surroundings, *flags);
  if (!program.ok()) return program.status();
  options.program = *std::move(program);
  return options;
}

}  // namespace external_containerizer

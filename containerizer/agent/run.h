// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Runs one command as a container, from its launch to its end.
//
//   RunOptions options;
//   options.work_dir = "/home/me/.local/state/external_containerizer";
//   options.command.program = "sh";
//   options.command.arguments = {"sh", "-c", "exit 3"};
//   return RunContainer(options);  // 3
//
// A run drives a Containerizer itself, although a standing agent in the run's
// directory could do that. A run has one container and ends with the boot: it
// writes one record and syncs nothing, where a standing agent writes a tree of
// state and syncs 38 times for one container. The run's directory, its lock and
// the record of the program, which the next run needs in order to clean up,
// would be necessary all the same.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_RUN_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_RUN_H_

#include <optional>
#include <string>

#include "external_containerizer/containerizer/agent/program_setup.h"
#include "external_containerizer/containerizer/agent/request.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

struct RunOptions {
  ProgramSetup program;
  std::string work_dir;  // Absolute.
  Resources resources;
  TaskCommand command;
  // The sandbox's owner, if the command runs as another user.
  std::optional<Sandbox::Owner> owner;
  bool verbose = false;
  bool json = false;
  bool live = false;  // stderr is a terminal that can erase a line.
};

// Takes over the process: its signals, stdout and stderr. Returns the exit
// status: the command's exit code, 128 + N if signal N ended it or interrupted
// the agent, 127 or 126 if the program says that the command is not there or
// cannot be executed, and otherwise kAgentFailed.
int RunContainer(const RunOptions& options);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_RUN_H_

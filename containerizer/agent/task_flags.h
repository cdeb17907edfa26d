// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The flags that several sub-commands have, and their values.
//
//   Subcommand launch = {"launch", "Starts a container."};
//   launch.flags = JoinFlags({TaskFlags(), {{"name", "NAME", "Its name."}}});
//
//   const absl::StatusOr<TaskCommand> command = TaskCommandOf(call, "launch");

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_TASK_FLAGS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_TASK_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/program_setup.h"
#include "external_containerizer/containerizer/agent/request.h"
#include "external_containerizer/containerizer/agent/subcommand.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/program/flags.h"

namespace external_containerizer {

// The flags of sub-commands that start the program: --containerizer_path,
// --inherit, --termination_status.
std::vector<Flag> ProgramFlags();

// The flags of sub-commands that launch: --shell, --resources, --env, --user.
std::vector<Flag> TaskFlags();

Flag ResourcesFlag();  // --resources
// --work_dir. `what` is the first part of its help; the default follows.
Flag WorkDirFlag(const std::string& what);

std::vector<Flag> JoinFlags(const std::vector<std::vector<Flag>>& parts);

// The functions below read these flags. INVALID_ARGUMENT for values that make
// no sense; the message is ready to be shown.

// Returns --work_dir as an absolute path. Without the flag it is
// DefaultWorkDirectory(), with its errors.
absl::StatusOr<std::string> WorkDirectoryOf(const Call& call);

// Reads ProgramFlags(). Without --containerizer_path the program is
// ShippedProgram(), with its errors.
absl::StatusOr<ProgramSetup> ProgramOf(const Call& call);

// Reads the command that follows the flags, or --shell, and --env and --user.
// `verb` is the sub-command's name, for messages.
absl::StatusOr<TaskCommand> TaskCommandOf(const Call& call,
                                          const std::string& verb);

// Reads --resources; none without it.
absl::StatusOr<Resources> ResourcesOf(const Call& call);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_TASK_FLAGS_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The flags that several sub-commands have, and what they mean.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_TASK_FLAGS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_TASK_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/program_setup.h"
#include "external_containerizer/containerizer/agent/request.h"
#include "external_containerizer/containerizer/agent/user_paths.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/program/flags.h"

namespace external_containerizer {

// The flags of commands that start the program: --containerizer_path,
// --inherit, --termination_status.
std::vector<Flag> ProgramFlags();

// The flags of commands that launch: --shell, --resources, --env, --user.
std::vector<Flag> TaskFlags();

Flag ResourcesFlag();  // --resources
Flag HelpFlag();       // --help

std::vector<Flag> Joined(const std::vector<std::vector<Flag>>& parts);

// The rest reads them. INVALID_ARGUMENT, ready to be shown, for values that
// make no sense.

// --work_dir, absolute; without it the user's own.
absl::StatusOr<std::string> WorkDirectoryOf(const Surroundings& surroundings,
                                            const Flags& flags);

// What ProgramFlags() say; without --containerizer_path the program that comes
// with the agent.
absl::StatusOr<ProgramSetup> ProgramOf(const Surroundings& surroundings,
                                       const Flags& flags);

// What follows the flags, or --shell, with --env and --user. `verb` is for
// messages.
absl::StatusOr<TaskCommand> TaskCommandOf(const Surroundings& surroundings,
                                          const Flags& flags,
                                          const std::string& verb);

// --resources
absl::StatusOr<Resources> ResourcesOf(const Flags& flags);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_TASK_FLAGS_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The flags that several sub-commands have, and what they mean.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_TASK_FLAGS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_TASK_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/flags.h"
#include "external_containerizer/containerizer/agent/request.h"
#include "external_containerizer/containerizer/agent/user_paths.h"
#include "external_containerizer/containerizer/container.h"

namespace external_containerizer {

Flag ContainerizerPathFlag();  // --containerizer_path
Flag ResourcesFlag();          // --resources
Flag EnvironmentFlag();        // --env
Flag UserFlag();               // --user
Flag HelpFlag();               // --help

// The rest reads them. INVALID_ARGUMENT, ready to be shown, for values that
// make no sense.

// --work_dir, absolute; without it the user's own.
absl::StatusOr<std::string> WorkDirectoryOf(const Surroundings& surroundings,
                                            const Flags& flags);

// --containerizer_path as a command line; without it the program that comes
// with the agent.
absl::StatusOr<std::string> ProgramOf(const Surroundings& surroundings,
                                      const Flags& flags);

// What follows the flags, with --env and --user. `verb` is for messages.
absl::StatusOr<TaskCommand> TaskCommandOf(const Surroundings& surroundings,
                                          const Flags& flags,
                                          const std::string& verb);

// --resources
absl::StatusOr<Resources> ResourcesOf(const Flags& flags);

// Where the programs that come with the agent are.
std::string LibexecDirectoryOf(const Surroundings& surroundings);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_TASK_FLAGS_H_

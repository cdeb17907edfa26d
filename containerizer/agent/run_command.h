// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// `agent run`: its flags and its help.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_RUN_COMMAND_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_RUN_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/run.h"
#include "external_containerizer/containerizer/agent/subcommand.h"
#include "external_containerizer/containerizer/agent/user_paths.h"

namespace external_containerizer {

Subcommand RunSubcommand();

std::string RunHelp();

// What `arguments` ask for. An error's message is ready to be shown.
absl::StatusOr<RunOptions> ParseRun(const Surroundings& surroundings,
                                    const std::vector<std::string>& arguments);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_RUN_COMMAND_H_

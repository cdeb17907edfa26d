// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The command line of `agent serve`.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_SERVE_COMMAND_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_SERVE_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/serve/serve.h"
#include "external_containerizer/containerizer/agent/subcommand.h"
#include "external_containerizer/containerizer/agent/user_paths.h"

namespace external_containerizer {

Subcommand ServeSubcommand();

std::string ServeHelp();

// INVALID_ARGUMENT, ready to be shown, if the arguments make no sense.
absl::StatusOr<ServeOptions> ParseServe(
    const Surroundings& surroundings,
    const std::vector<std::string>& arguments);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_SERVE_COMMAND_H_

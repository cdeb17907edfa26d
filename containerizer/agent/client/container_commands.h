// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What can be done to one container of a standing agent: agent launch, wait,
// update, destroy.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_CONTAINER_COMMANDS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_CONTAINER_COMMANDS_H_

#include "external_containerizer/containerizer/agent/subcommand.h"

namespace external_containerizer {

Subcommand LaunchSubcommand();
Subcommand WaitSubcommand();
Subcommand UpdateSubcommand();
Subcommand DestroySubcommand();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_CONTAINER_COMMANDS_H_

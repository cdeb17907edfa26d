// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The sub-commands that change one container of a standing agent, and `wait`:
//
//   agent launch --name=one --resources='cpus:0.5' -- sleep 600
//   agent update --resources='mem:64' one
//   agent wait one
//   agent destroy one

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

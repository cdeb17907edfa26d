// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The sub-commands that show the containers of a standing agent:
//
//   agent list
//   agent usage one two
//   agent events --json one

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_LIST_COMMANDS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_LIST_COMMANDS_H_

#include "external_containerizer/containerizer/agent/subcommand.h"

namespace external_containerizer {

Subcommand ListSubcommand();
Subcommand UsageSubcommand();
Subcommand EventsSubcommand();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_LIST_COMMANDS_H_

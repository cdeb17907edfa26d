// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The sub-command that shows what an agent wrote down:
//
//   agent inspect --json /var/lib/mesos

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_INSPECT_COMMAND_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_INSPECT_COMMAND_H_

#include "external_containerizer/containerizer/agent/subcommand.h"

namespace external_containerizer {

// Exits with 0; with 1 if something is damaged; with kAgentFailed if the tree
// cannot be read or shown.
Subcommand InspectSubcommand();

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_INSPECT_COMMAND_H_

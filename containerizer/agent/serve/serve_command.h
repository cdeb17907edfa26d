// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The command line of `agent serve`:
//
//   agent serve --work_dir=/var/lib/agent --recover=reconnect

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_SERVE_COMMAND_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_SERVE_COMMAND_H_

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/serve/serve.h"
#include "external_containerizer/containerizer/agent/subcommand.h"

namespace external_containerizer {

Subcommand ServeSubcommand();

// Reads what the user asks for. INVALID_ARGUMENT for values that make no sense,
// FAILED_PRECONDITION or NOT_FOUND if the work directory or the program cannot
// be found. The message is ready to be shown.
absl::StatusOr<ServeOptions> ServeOptionsOf(const Call& call);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_SERVE_COMMAND_H_

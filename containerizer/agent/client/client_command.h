// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The parts that all sub-commands share which speak to a standing agent.
//
//   const auto reply = CallAgent(call, control::kDestroy, request);
//   if (!reply.ok()) return Fail(call, reply.status());

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_CLIENT_COMMAND_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_CLIENT_COMMAND_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/client/control_client.h"
#include "external_containerizer/containerizer/agent/subcommand.h"
#include "external_containerizer/containerizer/program/flags.h"

namespace external_containerizer {

// Returns --work_dir and then the sub-command's own flags.
std::vector<Flag> ClientFlags(std::vector<Flag> own);

// Returns the switch --json. `what` is its help text.
Flag JsonFlag(const std::string& what);

// Connects to the agent that --work_dir names. Errors as ControlClient has
// them.
absl::StatusOr<std::unique_ptr<ControlClient>> Connect(const Call& call);

// Sends one request and waits for the answer, for ever. UNAVAILABLE if there is
// no agent, or if it went away; in that case it may have done what was asked.
template <typename Request, typename Reply>
absl::StatusOr<Reply> CallAgent(const Call& call,
                                const ttrpc::Method<Request, Reply>& method,
                                const Request& request) {
  const auto client = Connect(call);
  if (!client.ok()) return client.status();
  return (*client)->Call(method, request);
}

// Tells the user on stderr what went wrong, and with --json on stdout, too.
// Returns kAgentFailed, the exit status for that.
int Fail(const Call& call, const absl::Status& status);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_CLIENT_COMMAND_H_

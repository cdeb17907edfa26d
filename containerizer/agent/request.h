// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The request to launch a command.
//
//   TaskCommand command;
//   command.program = "sleep";
//   command.arguments = {"sleep", "600"};
//   LaunchRequest request = MakeLaunchRequest(run, sandbox, command,
//   resources);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_REQUEST_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_REQUEST_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/state/paths.h"

namespace external_containerizer {

struct TaskCommand {
  std::string program;                 // The executable, or a shell's text.
  std::vector<std::string> arguments;  // All of argv.
  std::vector<std::pair<std::string, std::string>> environment;
  std::string user = "";  // The user to run as; empty: the agent's.
  // `program` is a text for a shell, and there are no arguments.
  bool shell = false;
};

// Reads the values of --env, each NAME=VALUE. The last value of a name counts.
// INVALID_ARGUMENT for a value of another form; the message quotes its name
// only, since the rest may be secret.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>>
ParseEnvironment(const std::vector<std::string>& values);

// Returns the request for a command task, for programs of every release of the
// protocol. Both the task and its executor have the command: programs differ in
// where they look, and some cannot read an executor without a command.
LaunchRequest MakeLaunchRequest(const state::RunId& run, const Sandbox& sandbox,
                                const TaskCommand& command,
                                const Resources& resources);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_REQUEST_H_

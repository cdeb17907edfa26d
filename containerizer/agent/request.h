// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A command as the request to launch it.

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
  std::string program;                 // What to execute, or a shell's text.
  std::vector<std::string> arguments;  // All of argv.
  std::vector<std::pair<std::string, std::string>> environment;
  std::string user = "";  // To run as; empty: the agent's.
  // `program` is for a shell, and there are no arguments.
  bool shell = false;
};

// Reads values of --env, each NAME=VALUE; of one name the last counts.
// INVALID_ARGUMENT names the one that is wrong.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>>
ParseEnvironment(const std::vector<std::string>& values);

// The request for a command task, complete for every release of the protocol:
// the command stands in the task and in its executor, since programs differ in
// where they look, and some cannot read an executor without one.
LaunchRequest MakeLaunchRequest(const state::RunId& run, const Sandbox& sandbox,
                                const TaskCommand& command,
                                const Resources& resources);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_REQUEST_H_

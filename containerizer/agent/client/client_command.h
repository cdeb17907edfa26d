// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What the sub-commands that speak to a standing agent have in common.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_CLIENT_COMMAND_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_CLIENT_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/agent/json.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/containerizer/agent/user_paths.h"
#include "external_containerizer/containerizer/program/flags.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"

namespace external_containerizer {

// One of them, and how it is used.
struct ClientCommand {
  std::string name;
  std::string usage;        // What follows "agent NAME [FLAGS] ".
  std::string description;  // Of --help; ends with a newline.
  std::vector<Flag> flags;  // Beside --work_dir and --help.
  size_t min_ids = 0;       // Of arguments; more than max_ids are an error.
  size_t max_ids = 0;
};

// What one of them was called with.
struct ClientCall {
  Flags flags;
  std::string work_dir;
  const Surroundings& surroundings;

  const std::vector<std::string>& ids() const { return flags.rest(); }
};

// Reads the arguments, answers --help and complains of what makes no sense;
// else returns what `act` does: the exit status. What `act` printed and stdout
// did not take is an error.
int RunClientCommand(const ClientCommand& command,
                     const Surroundings& surroundings,
                     const std::vector<std::string>& arguments,
                     int (*act)(const ClientCall& call));

Flag JsonFlag(const std::string& help);

// Prints "agent: ..." on stderr, or as JSON on stdout; returns kAgentFailed.
int Fail(const ClientCall& call, const absl::Status& status);

// "exited with code 3", with why.
std::string EndedText(const wire::Termination& end);
// exit_code or signal, message and why.
JsonObject EndedJson(const wire::Termination& end);
// As shells have it: the exit code, or 128 + the signal's number; kAgentFailed
// if nobody knows.
int ExitStatusOf(const wire::Termination& end);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_CLIENT_COMMAND_H_

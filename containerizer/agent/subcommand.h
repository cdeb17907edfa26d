// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The sub-commands of the agent: one unit each, and one line in main.cc.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SUBCOMMAND_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SUBCOMMAND_H_

#include <string>
#include <vector>

#include "external_containerizer/containerizer/agent/user_paths.h"

namespace external_containerizer {

struct Subcommand {
  std::string name;
  std::string summary;  // One line, for `agent --help`.
  // Given what follows the name. Returns the process's exit status. Must
  // understand --help.
  int (*main)(const Surroundings& surroundings,
              const std::vector<std::string>& arguments);
};

// Runs the sub-command that `arguments` (without argv[0]) begin with. Answers
// --help and help; what it does not know is an error on stderr, and so is
// output that could not be written to stdout, unless nobody reads it any more.
int Dispatch(const std::vector<Subcommand>& subcommands,
             const Surroundings& surroundings,
             const std::vector<std::string>& arguments);

// Prints "agent: <message>" and a hint at `agent <name> --help` on stderr.
// Returns the exit status for it.
int UsageError(const std::string& name, const std::string& message);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SUBCOMMAND_H_

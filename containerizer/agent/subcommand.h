// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The sub-commands of the agent: one function each, and one line in main.cc.
//
//   absl::StatusOr<int> Stop(const Call& call) {
//     return StopContainer(call.arguments()[0], call.flags.On("force"));
//   }
//
//   Subcommand StopSubcommand() {
//     Subcommand stop = {"stop", "Stops a container."};
//     stop.usage = "CONTAINER";
//     stop.flags = {{"force", "", "Does not wait for it."}};
//     stop.min_arguments = stop.max_arguments = 1;
//     stop.run = Stop;
//     return stop;
//   }

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SUBCOMMAND_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SUBCOMMAND_H_

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/user_paths.h"
#include "external_containerizer/containerizer/program/flags.h"

namespace external_containerizer {

// What a sub-command was called with. Its flags and the number of its arguments
// have been checked.
struct Call {
  const Surroundings& surroundings;
  Flags flags;

  const std::vector<std::string>& arguments() const { return flags.rest(); }
};

struct Subcommand {
  // For max_arguments: the arguments are a command to execute, which may have
  // flags of its own. The sub-command's flags must stand before it.
  static constexpr size_t kCommand = std::numeric_limits<size_t>::max();

  std::string name;
  std::string summary;           // One line, for `agent --help`.
  std::string usage = "";        // What follows "agent NAME [FLAGS] ".
  std::string description = "";  // What --help says first; ends with a newline.
  std::vector<Flag> flags = {};  // All but --help, which every one has.
  std::string notes = "";        // What --help says after the flags.
  size_t min_arguments = 0;      // 0, or 1 for the name of a container.
  size_t max_arguments = 0;
  // Returns the process's exit status. An error means that the call makes no
  // sense; its message is ready to be shown, and --help is pointed at.
  absl::StatusOr<int> (*run)(const Call& call) = nullptr;
};

// What `agent NAME --help` says.
std::string HelpOf(const Subcommand& subcommand);

// Reads `arguments`, which follow the sub-command's name. `surroundings` must
// outlive the result. INVALID_ARGUMENT, ready to be shown, if they make no
// sense. With --help nothing else is checked.
absl::StatusOr<Call> ParseCall(const Subcommand& subcommand,
                               const Surroundings& surroundings,
                               const std::vector<std::string>& arguments);

// Runs the sub-command that `arguments` (without argv[0]) begin with, and
// returns the process's exit status. Answers --help and help. An unknown
// sub-command is an error on stderr, and so is output that stdout did not take,
// unless its reader went away.
int Dispatch(const std::vector<Subcommand>& subcommands,
             const Surroundings& surroundings,
             const std::vector<std::string>& arguments);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SUBCOMMAND_H_

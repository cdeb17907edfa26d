// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What the operator said about the external containerizer program.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_PROGRAM_SETUP_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_PROGRAM_SETUP_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/options.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/transport/selected.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

struct ProgramSetup {
  std::string command_line;
  // It is `posix`, the program that comes with the agent.
  bool is_posix = false;
  std::string libexec_directory = "";
  // Variables that it inherits beside the usual few: names, or prefixes and
  // "*".
  std::vector<std::string> inherit = {};
  wire::ExitConvention exits = wire::ExitConvention::kWaitStatus;
};

// `directory` is where the transport keeps its files.
TransportOptions TransportOptionsFor(const ProgramSetup& program,
                                     std::string directory);

// `work_directory` is the one that the program is told.
Options ContainerizerOptionsFor(const ProgramSetup& program,
                                std::string work_directory);

// To whom the sandbox of a task belongs that runs as `user`; nullopt: to the
// agent. `posix` has rules of its own about users, and what it would refuse is
// an error here already (posix/task_user.h). Another program may know users
// that this machine does not know. Asks the name service, which may block.
absl::StatusOr<std::optional<Sandbox::Owner>> SandboxOwner(
    const std::string& user, bool is_posix);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_PROGRAM_SETUP_H_

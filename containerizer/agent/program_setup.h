// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The external containerizer program, as the operator describes it.
//
//   ProgramSetup program;
//   program.command_line = "posix --require_limits";
//   auto containerizer = Containerizer::Create(
//       ContainerizerOptionsFor(program, work_dir),
//       SelectedTransport(TransportOptionsFor(program, transport_dir)));

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
  std::string libexec_directory = "";
  // Variables that the program inherits beside the usual ones: names, or
  // prefixes that end with "*".
  std::vector<std::string> inherit = {};
  wire::ExitConvention exits = wire::ExitConvention::kWaitStatus;
};

// `directory` is the one for the transport's files.
TransportOptions TransportOptionsFor(const ProgramSetup& program,
                                     std::string directory);

// `work_directory` is the one that the program is told of.
Options ContainerizerOptionsFor(const ProgramSetup& program,
                                std::string work_directory);

// Returns the owner of the sandbox of a task that runs as `user`. nullopt: the
// sandbox stays the agent's, because `user` is the agent's own or is empty, or
// because this machine does not know the user, or the agent may not become it.
// In the last two cases the program decides whether the task can run. Asks the
// name service, which may block.
std::optional<Sandbox::Owner> SandboxOwner(const std::string& user);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_PROGRAM_SETUP_H_

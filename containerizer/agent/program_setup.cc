// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/program_setup.h"

#include <utility>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/posix/task_user.h"
#include "external_containerizer/transport/inherited_environment.h"

namespace external_containerizer {

TransportOptions TransportOptionsFor(const ProgramSetup& program,
                                     std::string directory) {
  TransportOptions options;
  options.program = program.command_line;
  options.work_directory = std::move(directory);
  if (!program.inherit.empty()) {
    options.inherit = DefaultInherited();
    options.inherit->insert(options.inherit->end(), program.inherit.begin(),
                            program.inherit.end());
  }
  return options;
}

Options ContainerizerOptionsFor(const ProgramSetup& program,
                                std::string work_directory) {
  Options options;
  options.environment.work_directory = std::move(work_directory);
  options.environment.libexec_directory = program.libexec_directory;
  options.exits = program.exits;
  return options;
}

std::optional<Sandbox::Owner> SandboxOwner(const std::string& user) {
  if (user.empty()) return std::nullopt;
  const absl::StatusOr<std::optional<posix::TaskUser>> found =
      posix::FindTaskUser(user);
  if (!found.ok() || !found->has_value()) return std::nullopt;
  return Sandbox::Owner{(*found)->uid(), (*found)->gid()};
}

}  // namespace external_containerizer

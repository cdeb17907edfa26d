// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <signal.h>

#include <string>
#include <vector>

#include "external_containerizer/containerizer/agent/client/container_commands.h"
#include "external_containerizer/containerizer/agent/client/list_commands.h"
#include "external_containerizer/containerizer/agent/doctor_command.h"
#include "external_containerizer/containerizer/agent/inspect_command.h"
#include "external_containerizer/containerizer/agent/run_command.h"
#include "external_containerizer/containerizer/agent/serve/serve_command.h"
#include "external_containerizer/containerizer/agent/subcommand.h"
#include "external_containerizer/containerizer/agent/user_paths.h"

namespace ec = external_containerizer;

int main(int argc, char** argv) {
  // At a file size limit write() must fail, and the agent go on. A handler does
  // that; children would inherit an ignored signal.
  signal(SIGXFSZ, [](int) {});
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) arguments.push_back(argv[i]);
  const std::vector<ec::Subcommand> subcommands = {
      ec::RunSubcommand(),     ec::ServeSubcommand(),   ec::LaunchSubcommand(),
      ec::ListSubcommand(),    ec::WaitSubcommand(),    ec::UsageSubcommand(),
      ec::UpdateSubcommand(),  ec::DestroySubcommand(), ec::EventsSubcommand(),
      ec::InspectSubcommand(), ec::DoctorSubcommand(),
  };
  return ec::Dispatch(subcommands,
                      ec::SurroundingsOfThisProcess(argc > 0 ? argv[0] : ""),
                      arguments);
}

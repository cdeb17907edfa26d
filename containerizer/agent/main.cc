// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <string>
#include <vector>

#include "external_containerizer/containerizer/agent/inspect_command.h"
#include "external_containerizer/containerizer/agent/run_command.h"
#include "external_containerizer/containerizer/agent/subcommand.h"
#include "external_containerizer/containerizer/agent/user_paths.h"

namespace ec = external_containerizer;

int main(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) arguments.push_back(argv[i]);
  return ec::Dispatch({ec::RunSubcommand(), ec::InspectSubcommand()},
                      ec::SurroundingsOfThisProcess(argc > 0 ? argv[0] : ""),
                      arguments);
}

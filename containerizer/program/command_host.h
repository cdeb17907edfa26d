// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Hosts a Program for one command, as ProgramMain() does, but takes everything
// that belongs to the process as an argument.
//
//   CommandCall call;
//   call.program = "my_program";
//   call.arguments = {"launch"};
//   int exit_code = HostCommand(call, program);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_COMMAND_HOST_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_COMMAND_HOST_H_

#include <map>
#include <string>
#include <vector>

#include "external_containerizer/containerizer/program/program.h"

namespace external_containerizer {

struct CommandCall {
  std::string program;                 // The program's name, for messages.
  std::vector<std::string> arguments;  // Without the program.
  std::map<std::string, std::string> environment;
  std::string directory;  // The working directory.
  // Descriptors of the process.
  int input = 0;
  int output = 1;
  int errors = 2;
};

// Blocks until the program has replied. Returns the exit code, as ProgramMain()
// does.
int HostCommand(const CommandCall& call, Program& program);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_COMMAND_HOST_H_

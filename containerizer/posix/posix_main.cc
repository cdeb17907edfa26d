// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/posix/machine_check.h"
#include "external_containerizer/containerizer/posix/posix_flags.h"
#include "external_containerizer/containerizer/posix/posix_program.h"
#include "external_containerizer/containerizer/posix/supervisor.h"
#include "external_containerizer/containerizer/program/program.h"

using namespace external_containerizer;                  // NOLINT
using namespace external_containerizer::posix_internal;  // NOLINT

namespace {

// Prints what a posix can enforce that is started as this process was.
int Doctor(const std::string& cgroup_parent) {
  int status = 0;
  for (const Finding& finding : CheckMachine(cgroup_parent)) {
    printf("%s\n", FindingLine(finding).c_str());
    if (finding.level == Finding::Level::kFail) status = 1;
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  // This comes first: all that is done before costs every supervisor memory.
  if (argc > 1 && strcmp(argv[1], kSuperviseArgument) == 0) {
    return SupervisorMain();
  }
  // A write beyond a limit of the size of files then fails, and kills nobody.
  signal(SIGXFSZ, SIG_IGN);
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0),
                                           argv + argc);
  const absl::StatusOr<PosixFlags> flags = ParsePosixFlags(arguments);
  if (!flags.ok()) {
    fprintf(stderr, "posix: %s\n",
            std::string(flags.status().message()).c_str());
    return 2;
  }
  std::vector<std::string> rest = flags->rest;
  if (!rest.empty() && rest[0] == "doctor") {
    return Doctor(flags->options.cgroup_parent);
  }
  std::vector<char*> command = {argv[0]};
  for (std::string& argument : rest) command.push_back(argument.data());
  command.push_back(nullptr);
  PosixProgram program(flags->options);
  const int code = ProgramMain(static_cast<int>(command.size()) - 1,
                               command.data(), program);
  if (rest == std::vector<std::string>{"--help"}) {
    fputs(PosixHelp().c_str(), stdout);
  }
  return code;
}

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <stdio.h>
#include <string.h>

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/program/posix_program.h"
#include "external_containerizer/containerizer/program/program.h"
#include "external_containerizer/containerizer/program/supervisor.h"

namespace {

constexpr char kGraceFlag[] = "--grace=";

constexpr char kHelp[] =
    "\nposix runs containers as plain processes. An option, before COMMAND:\n"
    "  --grace=3s  between SIGTERM and SIGKILL, when it destroys a container\n";

}  // namespace

int main(int argc, char** argv) {
  using external_containerizer::PosixProgram;
  // First of all: the supervisor stays, so it takes with it as little as
  // possible.
  if (argc > 1 &&
      strcmp(argv[1],
             external_containerizer::posix_internal::kSuperviseArgument) == 0) {
    return external_containerizer::posix_internal::SupervisorMain();
  }
  PosixProgram::Options options;
  if (argc > 1 && absl::StartsWith(argv[1], kGraceFlag)) {
    const std::string value = argv[1] + strlen(kGraceFlag);
    if (!absl::ParseDuration(value, &options.grace) ||
        options.grace < absl::ZeroDuration()) {
      fprintf(stderr, "posix: --grace needs a duration such as 500ms or 3s\n");
      return 2;
    }
    argv[1] = argv[0];
    ++argv;
    --argc;
  }
  PosixProgram program(options);
  const int code = external_containerizer::ProgramMain(argc, argv, program);
  if (argc == 2 && strcmp(argv[1], "--help") == 0) fputs(kHelp, stdout);
  return code;
}

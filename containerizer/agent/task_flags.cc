// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/task_flags.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/resources.h"

namespace external_containerizer {

Flag ContainerizerPathFlag() {
  return {"containerizer_path", "PROGRAM",
          "The external containerizer program: a path, a name to be found in "
          "PATH, or shell words that the command (launch, wait, ...) is "
          "appended to. Default: posix, which comes with the agent and runs "
          "plain processes."};
}

Flag ResourcesFlag() {
  return {"resources", "LIST",
          "What the container may use: cpus:0.5;mem:64 (MiB). Also ranges and "
          "sets, and a role in parentheses: "
          "'ports:[31000-32000];disks(web):{a,b}'."};
}

Flag EnvironmentFlag() {
  return {"env", "NAME=VALUE",
          "Sets a variable for the command; as often as needed. Of yours it "
          "gets few (HOME, LANG, TZ, ...), and not PATH; to pass that on: "
          "--env=PATH=\"$PATH\"."};
}

Flag UserFlag() {
  return {
      "user", "NAME",
      "Runs the command as this user, with all its groups, and gives it the "
      "sandbox. Takes root, and a program that can (posix does). What is "
      "above the sandbox may be closed to it; the sandbox is its working "
      "directory."};
}

Flag HelpFlag() { return {"help", "", "Shows this.", 'h'}; }

absl::StatusOr<std::string> WorkDirectoryOf(const Surroundings& surroundings,
                                            const Flags& flags) {
  const std::string given = flags.Value("work_dir", "");
  if (!flags.Values("work_dir").empty() && given.empty()) {
    return absl::InvalidArgumentError("--work_dir is empty");
  }
  if (given.empty()) return DefaultWorkDirectory(surroundings);
  return UserPath(surroundings, given);
}

absl::StatusOr<std::string> ProgramOf(const Surroundings& surroundings,
                                      const Flags& flags) {
  if (flags.Values("containerizer_path").empty()) {
    return ShippedProgram(surroundings);
  }
  return ProgramCommand(surroundings, flags.Value("containerizer_path", ""));
}

absl::StatusOr<TaskCommand> TaskCommandOf(const Surroundings& surroundings,
                                          const Flags& flags,
                                          const std::string& verb) {
  if (flags.rest().empty() || flags.rest()[0].empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "there is no command to ", verb, "; put it behind --, as in: agent ",
        verb, " -- echo hello"));
  }
  TaskCommand command;
  command.program = TaskProgram(surroundings, flags.rest()[0]);
  command.arguments = flags.rest();
  auto environment = ParseEnvironment(flags.Values("env"));
  if (!environment.ok()) return environment.status();
  command.environment = *std::move(environment);
  command.user = flags.Value("user", "");
  if (command.user.empty() && !flags.Values("user").empty()) {
    return absl::InvalidArgumentError("--user is empty");
  }
  return command;
}

absl::StatusOr<Resources> ResourcesOf(const Flags& flags) {
  absl::StatusOr<Resources> resources =
      ParseResources(flags.Value("resources", ""));
  if (!resources.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--resources: ", resources.status().message()));
  }
  return resources;
}

std::string LibexecDirectoryOf(const Surroundings& surroundings) {
  const size_t slash = surroundings.executable.rfind('/');
  return slash == std::string::npos ? ""
                                    : surroundings.executable.substr(0, slash);
}

}  // namespace external_containerizer

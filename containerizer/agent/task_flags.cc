// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/task_flags.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/resources.h"
#include "re2/re2.h"

namespace external_containerizer {
namespace {

constexpr char kWaitStatus[] = "wait_status";
constexpr char kExitCode[] = "exit_code";

}  // namespace

std::vector<Flag> ProgramFlags() {
  return {
      {"containerizer_path", "PROGRAM",
       "The external containerizer program: a path, a name to be found in "
       "PATH, or shell words that the command (launch, wait, ...) is appended "
       "to. Default: posix, which comes with the agent and runs plain "
       "processes."},
      {"inherit", "NAME",
       "A variable of yours that the program gets, or all that begin with "
       "NAME*; as often as needed: --inherit=KUBECONFIG --inherit='AWS_*'. "
       "Without it the program gets PATH, HOME, USER, LOGNAME, LANG, LC_*, TZ, "
       "TMPDIR, LD_LIBRARY_PATH and DOCKER_*."},
      {"termination_status", "HOW",
       "What the program means by Termination.status: wait_status (the "
       "default, and the protocol's), in which 3 is death by signal 3, or "
       "exit_code, which some programs send, in which 3 is exit code 3."},
  };
}

Flag ResourcesFlag() {
  return {"resources", "LIST",
          "What the container may use: cpus:0.5;mem:64 (MiB). Also ranges and "
          "sets, and a role in parentheses: "
          "'ports:[31000-32000];disks(web):{a,b}'."};
}

Flag WorkDirFlag(const std::string& what) {
  return {"work_dir", "DIR",
          absl::StrCat(what,
                       " Default: $XDG_STATE_HOME/external_containerizer or "
                       "~/.local/state/external_containerizer.")};
}

std::vector<Flag> TaskFlags() {
  return {
      {"shell", "TEXT",
       "Runs TEXT with the program's shell, in place of COMMAND. Programs of "
       "Mesos 0.19's time know no other way: they take a COMMAND for TEXT and "
       "drop its ARGUMENTs."},
      ResourcesFlag(),
      {"env", "NAME=VALUE",
       "Sets a variable for the command; as often as needed. Of yours it gets "
       "few (HOME, LANG, TZ, ...), and not PATH; to pass that on: "
       "--env=PATH=\"$PATH\"."},
      {"user", "NAME",
       "Runs the command as this user, with all its groups, and gives it the "
       "sandbox. Takes root, and a program that can (posix does). What is "
       "above the sandbox may be closed to it; the sandbox is its working "
       "directory."},
  };
}

std::vector<Flag> JoinFlags(const std::vector<std::vector<Flag>>& parts) {
  std::vector<Flag> flags;
  for (const std::vector<Flag>& part : parts) {
    flags.insert(flags.end(), part.begin(), part.end());
  }
  return flags;
}

absl::StatusOr<std::string> WorkDirectoryOf(const Call& call) {
  const std::string given = call.flags.Value("work_dir", "");
  if (!given.empty()) return UserPath(call.surroundings, given);
  if (!call.flags.Values("work_dir").empty()) {
    return absl::InvalidArgumentError("--work_dir is empty");
  }
  return DefaultWorkDirectory(call.surroundings);
}

absl::StatusOr<ProgramSetup> ProgramOf(const Call& call) {
  const Flags& flags = call.flags;
  const Surroundings& surroundings = call.surroundings;
  static const RE2& kPattern = *new RE2("[^=*]+\\*?|\\*", RE2::Latin1);
  ProgramSetup setup;
  const size_t slash = surroundings.executable.rfind('/');
  if (slash != std::string::npos) {
    setup.libexec_directory = surroundings.executable.substr(0, slash);
  }
  setup.inherit = flags.Values("inherit");
  for (const std::string& pattern : setup.inherit) {
    if (RE2::FullMatch(pattern, kPattern)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "--inherit=", absl::CHexEscape(pattern.substr(0, 100)),
        ": it is the name of a variable, or how names begin and \"*\"; the "
        "value is the one that it has here"));
  }
  const std::string exits = flags.Value("termination_status", kWaitStatus);
  if (exits == kExitCode) {
    setup.exits = wire::ExitConvention::kExitCode;
  } else if (exits != kWaitStatus) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--termination_status=", absl::CHexEscape(exits.substr(0, 100)),
        ": it is ", kWaitStatus, " or ", kExitCode));
  }
  absl::StatusOr<std::string> command_line =
      flags.Values("containerizer_path").empty()
          ? ShippedProgram(surroundings)
          : ProgramCommand(surroundings, flags.Value("containerizer_path", ""));
  if (!command_line.ok()) return command_line.status();
  setup.command_line = *std::move(command_line);
  return setup;
}

absl::StatusOr<TaskCommand> TaskCommandOf(const Call& call,
                                          const std::string& verb) {
  const Flags& flags = call.flags;
  TaskCommand command;
  command.shell = !flags.Values("shell").empty();
  if (command.shell) {
    command.program = flags.Value("shell", "");
    if (command.program.empty()) {
      return absl::InvalidArgumentError("--shell is empty");
    }
    if (!flags.rest().empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--shell has the whole text of what is to be run, so that \"",
          absl::CHexEscape(flags.rest()[0].substr(0, 100)),
          "\" is too much; as in: agent ", verb, " --shell='echo hello'"));
    }
  } else if (flags.rest().empty() || flags.rest()[0].empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "there is no command to ", verb, "; put it behind --, as in: agent ",
        verb, " -- echo hello"));
  } else {
    command.program = TaskProgram(call.surroundings, flags.rest()[0]);
    command.arguments = flags.rest();
  }
  auto environment = ParseEnvironment(flags.Values("env"));
  if (!environment.ok()) return environment.status();
  command.environment = *std::move(environment);
  command.user = flags.Value("user", "");
  if (command.user.empty() && !flags.Values("user").empty()) {
    return absl::InvalidArgumentError("--user is empty");
  }
  return command;
}

absl::StatusOr<Resources> ResourcesOf(const Call& call) {
  absl::StatusOr<Resources> resources =
      ParseResources(call.flags.Value("resources", ""));
  if (!resources.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--resources: ", resources.status().message()));
  }
  return resources;
}

}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A helper for programs that know no `serve`. It runs them once per command, as
// an agent without a helper does, but in a small process of its own, so that
// the agent forks nothing. Programs have the limit on descriptors with which it
// was started. Its own hard limit bounds how many of them may wait.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/program/error_line.h"
#include "external_containerizer/containerizer/program/serve.h"
#include "external_containerizer/transport/fork_exec/fork_exec.h"
#include "external_containerizer/transport/linux/command_line.h"

namespace ec = external_containerizer;

namespace {

constexpr char kUsage[] =
    "Usage: exec_helper PROGRAM serve --socket=PATH [--idle_exit=60s]\n"
    "                                 [--drain_limit=30s]\n"
    "       exec_helper PROGRAM COMMAND\n\n"
    "Serves agents at a Unix socket, and for each of their commands runs\n"
    "`PROGRAM COMMAND`. PROGRAM is one argument: a path, or shell words that\n"
    "the command's name is appended to. With another COMMAND than serve it\n"
    "becomes that command.\n";

// Becomes `program command`.
int Execute(const std::string& program, char** command) {
  std::unique_ptr<char, decltype(&free)> current(getcwd(nullptr, 0), &free);
  const char* path = getenv("PATH");
  absl::StatusOr<ec::CommandLine> line =
      ec::ParseProgram(program, path == nullptr ? "" : path,
                       current == nullptr ? "/" : current.get());
  absl::Status status = line.status();
  if (status.ok()) {
    std::vector<char*> arguments;
    for (std::string& word : line->arguments) arguments.push_back(word.data());
    for (; *command != nullptr; ++command) arguments.push_back(*command);
    arguments.push_back(nullptr);
    execv(line->file.c_str(), arguments.data());
    status = ec::ExecutionError(line->file, errno);
  }
  fprintf(stderr, "%s\n",
          ec::ErrorLine("exec_helper", ec::WithCode(status)).c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    const bool help = argc == 2 && strcmp(argv[1], "--help") == 0;
    fputs(kUsage, help ? stdout : stderr);
    return help ? 0 : 2;
  }
  const std::string program = argv[1];
  if (strcmp(argv[2], ec::kServeArgument) != 0) {
    return Execute(program, argv + 2);
  }
  return ec::ServeMain(
      program, std::vector<std::string>(argv + 3, argv + argc),
      [&program](ec::EventLoop& loop, const std::string& own_path)
          -> absl::StatusOr<std::unique_ptr<ec::Transport>> {
        // An agent that comes back without a helper has its journal in the
        // socket's directory.
        if (mkdir(own_path.c_str(), 0700) != 0 && errno != EEXIST) {
          return absl::ErrnoToStatus(errno,
                                     absl::StrCat("cannot make ", own_path));
        }
        ec::ForkExecOptions options;
        options.program = program;
        options.work_directory = own_path;
        // The agent's variables come with each command. PATH is needed now, to
        // find the program.
        options.inherit = std::vector<std::string>{"PATH"};
        return ec::ForkExecTransport(std::move(options))(loop);
      });
}

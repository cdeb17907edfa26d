// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What the paths on the command line mean, and where things are by default.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_USER_PATHS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_USER_PATHS_H_

#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// What the process was started with.
struct Surroundings {
  Environment environment;
  std::string directory;   // The working directory.
  std::string argv0;       // As given, maybe relative to `directory`.
  std::string executable;  // What /proc/self/exe points to; may be empty.
};

Surroundings SurroundingsOfThisProcess(const char* argv0);

// `path`, absolute. A relative one is relative to the user's directory, which
// under `bazel run` is not the working directory (BUILD_WORKING_DIRECTORY).
std::string UserPath(const Surroundings& surroundings, const std::string& path);

// $XDG_STATE_HOME/external_containerizer, or the same below ~/.local/state.
// FAILED_PRECONDITION if neither XDG_STATE_HOME nor HOME says where that is, or
// if HOME is not there.
absl::StatusOr<std::string> DefaultWorkDirectory(
    const Surroundings& surroundings);

// The operator's command line of a program, fit for any directory: if its
// first word is a relative path, UserPath() of that. A bare name stays, to be
// found in PATH; but `posix` and `exec_helper`, where PATH has none, are those
// that come with the agent. INVALID_ARGUMENT if it is empty.
absl::StatusOr<std::string> ProgramCommand(const Surroundings& surroundings,
                                           const std::string& given);

// `posix`, which comes with the agent, as a command line. NOT_FOUND, with
// the places where it was looked for.
absl::StatusOr<std::string> ShippedProgram(const Surroundings& surroundings);

// Whether the program of `command_line` is the `posix` that comes with the
// agent, whatever its options.
bool IsShippedPosix(const Surroundings& surroundings,
                    const std::string& command_line);

// The program of a task's command: a relative path is the user's, if there is
// such a file, since a task that starts has none of its own in its sandbox.
std::string TaskProgram(const Surroundings& surroundings,
                        const std::string& given);

// `path` as one word of a shell.
std::string ShellWord(const std::string& path);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_USER_PATHS_H_

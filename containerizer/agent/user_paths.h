// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The meaning of paths on the command line, and the places that things have by
// default.
//
//   const Surroundings surroundings = SurroundingsOfThisProcess(argv[0]);
//   const std::string path = UserPath(surroundings, "w");  // "/home/me/w"

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_USER_PATHS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_USER_PATHS_H_

#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// What the process inherits from the one that started it.
struct Surroundings {
  Environment environment;
  std::string directory;   // The working directory.
  std::string argv0;       // May be relative to `directory`.
  std::string executable;  // The target of /proc/self/exe; may be empty.
};

Surroundings SurroundingsOfThisProcess(const char* argv0);

// Returns `path` as an absolute path. A relative one begins in the user's
// directory, which under `bazel run` is BUILD_WORKING_DIRECTORY.
std::string UserPath(const Surroundings& surroundings, const std::string& path);

// Returns $XDG_STATE_HOME/external_containerizer, or without that variable
// ~/.local/state/external_containerizer. FAILED_PRECONDITION if neither
// variable is set to an absolute path, or if HOME is no directory.
absl::StatusOr<std::string> DefaultWorkDirectory(
    const Surroundings& surroundings);

// Returns the operator's command line of a program in a form that works in any
// directory: a relative path as its first word is replaced by its UserPath(). A
// bare name stays, to be found in PATH. But `posix` and `exec_helper` are the
// ones that come with the agent if PATH has none. INVALID_ARGUMENT if it is
// empty.
absl::StatusOr<std::string> ProgramCommand(const Surroundings& surroundings,
                                           const std::string& given);

// Returns the command line of the `posix` that comes with the agent. NOT_FOUND
// if it is missing; the message names the places where it should be.
absl::StatusOr<std::string> ShippedProgram(const Surroundings& surroundings);

// Returns the program of a task's command. A relative path is replaced by its
// UserPath() if that exists, since a new sandbox is empty.
std::string TaskProgram(const Surroundings& surroundings,
                        const std::string& given);

// Returns `path` as one word for a shell.
std::string ShellWord(const std::string& path);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_USER_PATHS_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/user_paths.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "re2/re2.h"

namespace external_containerizer {
namespace {

std::string Variable(const Surroundings& surroundings, const char* name) {
  const auto found = surroundings.environment.find(name);
  return found == surroundings.environment.end() ? "" : found->second;
}

bool IsAbsolute(const std::string& path) {
  return !path.empty() && path[0] == '/';
}

std::string Join(const std::string& directory, const std::string& path) {
  return absl::EndsWith(directory, "/") ? directory + path
                                        : absl::StrCat(directory, "/", path);
}

// Returns `path` without its last component; empty if it has no slash.
std::string DirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

bool IsProgram(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
         access(path.c_str(), X_OK) == 0;
}

// Returns the path of a program in PATH; empty if there is none.
std::string FindInPath(const Surroundings& surroundings,
                       const std::string& name) {
  for (const absl::string_view entry :
       absl::StrSplit(Variable(surroundings, "PATH"), ':')) {
    std::string directory(entry);
    if (!IsAbsolute(directory)) {
      directory = Join(surroundings.directory, directory);
    }
    std::string path = Join(directory, name);
    if (IsProgram(path)) return path;
  }
  return "";
}

// Returns the places of a program that comes with the agent: `bazel` below the
// directory containerizer, and `name` beside the agent.
std::vector<std::string> ShippedPlaces(const Surroundings& surroundings,
                                       const std::string& bazel,
                                       const std::string& name) {
  std::vector<std::string> places;
  for (const std::string& self :
       {surroundings.argv0, surroundings.executable}) {
    // The agent was found in PATH. `executable` has the directory.
    std::string directory = DirectoryOf(self);
    if (directory.empty()) continue;
    if (!IsAbsolute(directory)) {
      directory = Join(surroundings.directory, directory);
    }
    // DirectoryOf(".") would be empty.
    char real[PATH_MAX];
    if (realpath(directory.c_str(), real) != nullptr) directory = real;
    // Bazel's outputs and runfiles first, then an installation.
    places.push_back(absl::StrCat(DirectoryOf(directory), "/", bazel));
    places.push_back(Join(directory, name));
  }
  return places;
}

// Returns the first of `places` that has a program, as one word for a shell;
// empty if none has.
std::string FirstProgram(const std::vector<std::string>& places) {
  for (const std::string& place : places) {
    if (IsProgram(place)) return ShellWord(place);
  }
  return "";
}

}  // namespace

Surroundings SurroundingsOfThisProcess(const char* argv0) {
  Surroundings surroundings;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const char* equals = strchr(*variable, '=');
    if (equals == nullptr) continue;
    surroundings.environment.emplace(
        std::string(*variable, static_cast<size_t>(equals - *variable)),
        equals + 1);
  }
  char buffer[4096];
  if (getcwd(buffer, sizeof(buffer)) != nullptr) {
    surroundings.directory = buffer;
  }
  surroundings.argv0 = argv0 == nullptr ? "" : argv0;
  const ssize_t length = readlink("/proc/self/exe", buffer, sizeof(buffer) - 1);
  if (length > 0) {
    surroundings.executable.assign(buffer, static_cast<size_t>(length));
  }
  return surroundings;
}

std::string UserPath(const Surroundings& surroundings,
                     const std::string& path) {
  if (IsAbsolute(path)) return path;
  const std::string bazel = Variable(surroundings, "BUILD_WORKING_DIRECTORY");
  return Join(IsAbsolute(bazel) ? bazel : surroundings.directory, path);
}

absl::StatusOr<std::string> DefaultWorkDirectory(
    const Surroundings& surroundings) {
  // The XDG base directory specification says to ignore a relative path.
  const std::string state = Variable(surroundings, "XDG_STATE_HOME");
  if (IsAbsolute(state)) return Join(state, "external_containerizer");
  const std::string home = Variable(surroundings, "HOME");
  if (IsAbsolute(home)) {
    // Users that run services often have a HOME that must not be made.
    struct stat info;
    if (stat(home.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "there is no place for files: HOME=", absl::CHexEscape(home),
          " is no directory; name a place with --work_dir=DIR"));
    }
    return Join(home, ".local/state/external_containerizer");
  }
  return absl::FailedPreconditionError(
      "there is no place for files: neither XDG_STATE_HOME nor HOME is set to "
      "an absolute path; name one with --work_dir=DIR");
}

absl::StatusOr<std::string> ProgramCommand(const Surroundings& surroundings,
                                           const std::string& given) {
  static const RE2& kWords = *new RE2("\\s*(\\S+)((?s:.*))", RE2::Latin1);
  std::string program, rest;
  if (!RE2::FullMatch(given, kWords, &program, &rest)) {
    return absl::InvalidArgumentError("--containerizer_path is empty");
  }
  for (const auto& [name, bazel] :
       {std::pair("posix", "posix/posix"),
        std::pair("exec_helper", "program/exec_helper")}) {
    if (program != name || !FindInPath(surroundings, name).empty()) continue;
    const std::string shipped =
        FirstProgram(ShippedPlaces(surroundings, bazel, name));
    // Otherwise the transport says that it is missing.
    if (!shipped.empty()) return shipped + rest;
  }
  const char first = program[0];
  // A shell expands "~", variables and quotes.
  if (!absl::StrContains(program, "/") || first == '/' || first == '~' ||
      first == '$' || first == '"' || first == '\'') {
    return given;
  }
  return ShellWord(UserPath(surroundings, "")) + program + rest;
}

absl::StatusOr<std::string> ShippedProgram(const Surroundings& surroundings) {
  const std::vector<std::string> places =
      ShippedPlaces(surroundings, "posix/posix", "posix");
  const std::string found = FirstProgram(places);
  if (!found.empty()) return found;
  return absl::NotFoundError(absl::StrCat(
      "the program that comes with the agent is not there (looked for ",
      absl::CHexEscape(absl::StrJoin(places, ", ")),
      "); name one with --containerizer_path=PROGRAM"));
}

std::string TaskProgram(const Surroundings& surroundings,
                        const std::string& given) {
  if (!absl::StrContains(given, "/") || IsAbsolute(given)) return given;
  const std::string path = UserPath(surroundings, given);
  return access(path.c_str(), F_OK) == 0 ? path : given;
}

std::string ShellWord(const std::string& path) {
  static const RE2& kPlain = *new RE2("[A-Za-z0-9_./+:@%,=-]+", RE2::Latin1);
  if (RE2::FullMatch(path, kPlain)) return path;
  return absl::StrCat("'", absl::StrReplaceAll(path, {{"'", "'\\''"}}), "'");
}

}  // namespace external_containerizer

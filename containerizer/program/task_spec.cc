// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/task_spec.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace external_containerizer {
namespace posix_internal {
namespace {

// What a login gives, for a task whose environment has none.
constexpr char kDefaultPath[] =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) {
    pointers.push_back(const_cast<char*>(string.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

std::string PathOf(const std::vector<std::string>& environment) {
  for (const std::string& variable : environment) {
    if (variable.compare(0, 5, "PATH=") == 0) return variable.substr(5);
  }
  return kDefaultPath;
}

}  // namespace

std::optional<std::string> EncodeTaskSpec(const TaskSpec& spec) {
  std::string encoded;
  bool valid = true;
  auto append = [&encoded, &valid](const std::string& string) {
    if (string.find('\0') != std::string::npos) valid = false;
    encoded += string;
    encoded += '\0';
  };
  append(std::to_string(spec.arguments.size()));
  append(spec.executable);
  for (const std::string& argument : spec.arguments) append(argument);
  for (const std::string& variable : spec.environment) append(variable);
  if (!valid) return std::nullopt;
  return encoded;
}

std::optional<TaskSpec> DecodeTaskSpec(const std::string& encoded) {
  std::vector<std::string> strings;
  size_t begin = 0;
  while (begin < encoded.size()) {
    const size_t end = encoded.find('\0', begin);
    if (end == std::string::npos) return std::nullopt;
    strings.push_back(encoded.substr(begin, end - begin));
    begin = end + 1;
  }
  if (strings.size() < 2) return std::nullopt;
  const size_t arguments = strtoul(strings[0].c_str(), nullptr, 10);
  if (arguments > strings.size() - 2) return std::nullopt;
  TaskSpec spec;
  spec.executable = std::move(strings[1]);
  const auto middle = strings.begin() + 2 + static_cast<ptrdiff_t>(arguments);
  spec.arguments.assign(strings.begin() + 2, middle);
  spec.environment.assign(middle, strings.end());
  return spec;
}

void ExecuteTask(const TaskSpec& spec) {
  const std::vector<char*> argv = Pointers(spec.arguments);
  const std::vector<char*> envp = Pointers(spec.environment);
  if (spec.executable.find('/') != std::string::npos) {
    execve(spec.executable.c_str(), argv.data(), envp.data());
    return;
  }
  if (spec.executable.empty()) {
    errno = ENOENT;
    return;
  }
  // Not execvpe(): it looks in the PATH of this process, not of the task.
  const std::string path = PathOf(spec.environment) + ":";
  int error = ENOENT;
  size_t begin = 0;
  while (begin < path.size()) {
    const size_t end = path.find(':', begin);
    std::string directory = path.substr(begin, end - begin);
    if (directory.empty()) directory = ".";
    const std::string file = directory + "/" + spec.executable;
    execve(file.c_str(), argv.data(), envp.data());
    // A file that is there and cannot be executed says more than its absence
    // elsewhere.
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) return;
    if (errno == EACCES && access(file.c_str(), F_OK) == 0) error = EACCES;
    begin = end + 1;
  }
  errno = error;
}

}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/execute_task.h"

#include <errno.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <vector>

#include "google/protobuf/repeated_field.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

// The PATH of a login, for a task whose environment has none.
constexpr char kDefaultPath[] =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

using Strings = google::protobuf::RepeatedPtrField<std::string>;

std::vector<char*> Pointers(const Strings& strings) {
  std::vector<char*> pointers;
  pointers.reserve(static_cast<size_t>(strings.size()) + 1);
  for (const std::string& string : strings) {
    pointers.push_back(const_cast<char*>(string.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

std::string PathOf(const Strings& environment) {
  for (const std::string& variable : environment) {
    if (variable.compare(0, 5, "PATH=") == 0) return variable.substr(5);
  }
  return kDefaultPath;
}

}  // namespace

void ExecuteTask(const TaskSpec& spec) {
  const std::vector<char*> argv = Pointers(spec.arguments());
  const std::vector<char*> envp = Pointers(spec.environment());
  if (spec.executable().find('/') != std::string::npos) {
    execve(spec.executable().c_str(), argv.data(), envp.data());
    return;
  }
  if (spec.executable().empty()) {
    errno = ENOENT;
    return;
  }
  // execvpe() would look in the PATH of this process, and give a file of an
  // unknown format to a shell.
  const std::string path = PathOf(spec.environment()) + ":";
  int error = ENOENT;
  size_t begin = 0;
  while (begin < path.size()) {
    const size_t end = path.find(':', begin);
    std::string directory = path.substr(begin, end - begin);
    if (directory.empty()) directory = ".";
    const std::string file = directory + "/" + spec.executable();
    execve(file.c_str(), argv.data(), envp.data());
    // A file that exists and cannot be executed is the better answer.
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) return;
    if (errno == EACCES && access(file.c_str(), F_OK) == 0) error = EACCES;
    begin = end + 1;
  }
  errno = error;
}

}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What a container's task is to be executed as. It may hold secrets, so it
// goes from `launch` to the task in memory (a memfd), never through an argument
// or the environment of a process in between.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TASK_SPEC_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TASK_SPEC_H_

#include <sys/resource.h>

#include <optional>
#include <string>
#include <vector>

#include "external_containerizer/containerizer/posix/task_user.h"

namespace external_containerizer {
namespace posix_internal {

struct ResourceLimit {
  int resource = 0;  // RLIMIT_...
  rlim_t soft = 0;
  rlim_t hard = 0;
};

struct TaskSpec {
  // With a slash: a path, if relative then to the sandbox. Without: to be
  // looked up in the PATH of `environment`.
  std::string executable;
  std::vector<std::string> arguments;    // argv, with argv[0]
  std::vector<std::string> environment;  // "NAME=value"

  // What its process does before it is the task, in this order.
  std::vector<std::string> cgroups;  // files to write "0" to
  std::vector<ResourceLimit> limits;
  std::optional<TaskUser> user;  // unset: stays who it is
  bool no_new_privileges = false;
};

// nullopt if one of the strings holds a NUL, which no process can be given.
std::optional<std::string> EncodeTaskSpec(const TaskSpec& spec);
std::optional<TaskSpec> DecodeTaskSpec(const std::string& encoded);

// Replaces this process by the task. Returns, with errno, only on failure.
void ExecuteTask(const TaskSpec& spec);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TASK_SPEC_H_

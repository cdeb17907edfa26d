// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Starts a supervisor (supervisor.h), which starts the task.
//
//   StartRequest request;
//   request.supervisor = "/proc/self/exe";
//   ...
//   absl::Status started = StartContainer(std::move(request));

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_START_CONTAINER_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_START_CONTAINER_H_

#include <string>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {

struct StartRequest {
  std::string id;          // an argument of the supervisor, for people to see
  std::string supervisor;  // the executable that is `posix`
  TaskSpec spec;
  int container = -1;  // the container's file, locked; stays the caller's
  UniqueFd sandbox;
  UniqueFd output;
  UniqueFd errors;
};

// Blocks until the task has been executed. FAILED_PRECONDITION if the task
// cannot be executed, RESOURCE_EXHAUSTED for want of processes, descriptors or
// memory. INTERNAL if the supervisor died: the task may run then. The error of
// a command that does not exist or cannot be executed has the exit code 127 or
// 126, as in a shell (SetExitCode()). Any thread.
absl::Status StartContainer(StartRequest request);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_START_CONTAINER_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The launch's side of supervisor.h.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_START_CONTAINER_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_START_CONTAINER_H_

#include <string>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {

struct StartRequest {
  std::string id;          // shown in the supervisor's command line
  std::string supervisor;  // the executable that is `posix`
  TaskSpec spec;
  int container = -1;  // its file, locked; stays the caller's
  UniqueFd sandbox;
  UniqueFd output;
  UniqueFd errors;
};

// Starts a supervisor, which starts the task; blocks until the task has been
// executed. FAILED_PRECONDITION if it could not be, RESOURCE_EXHAUSTED;
// INTERNAL if the supervisor died, and then the task may have been started. A
// command that is not there or cannot be executed has the exit code
// (SetExitCode()) that a shell gives it, 127 or 126.
absl::Status StartContainer(StartRequest request);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_START_CONTAINER_H_

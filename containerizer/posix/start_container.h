// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The launch's side of supervisor.h.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_START_CONTAINER_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_START_CONTAINER_H_

#include <string>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/posix/records.pb.h"

namespace external_containerizer {
namespace posix_internal {

struct StartRequest {
  std::string id;          // shown in the supervisor's command line
  std::string supervisor;  // the executable that is `posix`
  TaskSpec spec;
  // All stay the caller's.
  int container = -1;  // locked; the supervisor takes over
  int sandbox = -1;
  int output = -1;
  int errors = -1;
};

// Starts a supervisor, which starts the task; blocks until the task has been
// executed. FAILED_PRECONDITION if it could not be, INVALID_ARGUMENT for
// strings with a NUL, RESOURCE_EXHAUSTED; INTERNAL if the supervisor died, and
// then the task may have been started. A command that is not there or cannot be
// executed has the exit code (SetExitCode()) that a shell gives it, 127 or 126.
absl::Status StartContainer(const StartRequest& request);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_START_CONTAINER_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_EXECUTE_TASK_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_EXECUTE_TASK_H_

#include "external_containerizer/containerizer/posix/records.pb.h"

namespace external_containerizer {
namespace posix_internal {

// Replaces this process by the task. `spec` must have no NUL in a string.
// Returns on failure alone, with errno: ENOENT if there is no such file. The
// PATH of spec.environment() counts, not that of this process.
//
//   ExecuteTask(spec);
//   return ErrnoStatus("cannot execute it", errno);
void ExecuteTask(const TaskSpec& spec);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_EXECUTE_TASK_H_

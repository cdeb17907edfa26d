// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What launch and update do, in this process.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_LAUNCH_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_LAUNCH_H_

#include "absl/status/status.h"
#include "external_containerizer/containerizer/posix/posix_options.h"
#include "external_containerizer/containerizer/program/program.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"

namespace external_containerizer {
namespace posix_internal {

// Blocks until the task has been executed. After an error nothing is left of
// the container, unless that could not be made sure of; then it is listed.
absl::Status LaunchContainer(const wire::Launch& request,
                             const Context& context,
                             const PosixOptions& options);

// OK also if the container has ended, or, without require_limits, if nothing
// can be enforced. After an error it has the limits that it had before, as far
// as can be.
absl::Status UpdateLimits(const wire::Update& request, const Context& context,
                          const PosixOptions& options);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_LAUNCH_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The commands launch and update.
//
//   absl::Status launched = LaunchContainer(request, context, options);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_LAUNCH_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_LAUNCH_H_

#include "absl/status/status.h"
#include "external_containerizer/containerizer/posix/posix_options.h"
#include "external_containerizer/containerizer/program/program.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"

namespace external_containerizer {
namespace posix_internal {

// Starts a container, and blocks until its task has been executed. After an
// error nothing of the container is left. If that cannot be made sure of, the
// container stays in the list, and destroy ends it. Errors: as
// StartContainer(), ALREADY_EXISTS, and FAILED_PRECONDITION if a limit is
// required that cannot be enforced.
absl::Status LaunchContainer(const wire::Launch& request,
                             const Context& context,
                             const PosixOptions& options);

// Changes the limits of a container. Returns OK if the container has ended,
// and, without require_limits, if no limit can be enforced. NOT_FOUND. After an
// error the container has its former limits again, as far as the kernel lets
// it.
absl::Status UpdateLimits(const wire::Update& request, const Context& context,
                          const PosixOptions& options);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_LAUNCH_H_

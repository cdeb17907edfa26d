// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Reads the command to run, and its limits, out of an agent's messages. The
// functions are pure, except that MakeTaskSpec() looks up a user.
//
//   const absl::StatusOr<TaskSpec> spec =
//       MakeTaskSpec(launch, context.environment);
//   const Limits limits = LimitsOf(launch);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_LAUNCH_PLAN_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_LAUNCH_PLAN_H_

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "google/protobuf/repeated_field.h"

namespace external_containerizer {
namespace posix_internal {

// Returns the command to run: the executor's, or the task's if the executor has
// none. The variables of the command win over those of `environment`. The user
// is Launch.user, or the command's if that is empty; if it is another user than
// this process's, HOME, USER and LOGNAME are set for it. INVALID_ARGUMENT if
// there is no command, if a variable has no name or a "=" in it, or if a string
// has a NUL. Other errors: as FindTaskUser(). May block as that does.
absl::StatusOr<TaskSpec> MakeTaskSpec(
    const wire::Launch& launch,
    const std::map<std::string, std::string>& environment);

// Returns the sums of all resources "cpus" and "mem". A sum is unset if there
// is no such resource.
Limits LimitsOf(
    const google::protobuf::RepeatedPtrField<wire::Resource>& resources);

// Returns the limits of a new container: the executor's resources, which
// include those of the first task. If the executor has none: the task's.
Limits LimitsOf(const wire::Launch& launch);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_LAUNCH_PLAN_H_

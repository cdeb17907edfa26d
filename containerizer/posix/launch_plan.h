// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What posix reads out of the agent's messages. Pure, but for looking up a
// user's name.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_LAUNCH_PLAN_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_LAUNCH_PLAN_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "google/protobuf/repeated_field.h"

namespace external_containerizer {
namespace posix_internal {

// The command to run: the executor's, or, if it has none, the task's. With its
// own environment over `environment`; HOME, USER and LOGNAME of `environment`
// are the user's, if it is another than this process's. INVALID_ARGUMENT if
// there is no command, if a variable cannot be one, or if there is a NUL, which
// no process can be given; as FindTaskUser() for
// the user: Launch.user, or, if there is none, the command's.
absl::StatusOr<TaskSpec> MakeTaskSpec(
    const wire::Launch& launch,
    const std::map<std::string, std::string>& environment);

// The sum of all "cpus" and of all "mem".
Limits LimitsOf(
    const google::protobuf::RepeatedPtrField<wire::Resource>& resources);

// What the container may use at its start: the executor's resources, which
// include the first task's; without them, the task's.
Limits LimitsOf(const wire::Launch& launch);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_LAUNCH_PLAN_H_

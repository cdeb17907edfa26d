// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The user that a task runs as.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TASK_USER_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TASK_USER_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/posix/records.pb.h"

namespace external_containerizer {
namespace posix_internal {

// Looks up a name, or a number that has a name. nullopt if it is the user that
// this process is already: then nothing is to be changed. FAILED_PRECONDITION
// if there is no such user, or if this process may not become it;
// RESOURCE_EXHAUSTED if it cannot be looked up now. Asks the name service,
// which may block.
absl::StatusOr<std::optional<TaskUser>> FindTaskUser(const std::string& user);

// Becomes it, for good: groups, gid, uid, and no capabilities but those that an
// exec gives to root. Only for a process with one thread, before an exec.
// False, with errno, if it may not; then it may be half done.
bool BecomeTaskUser(const TaskUser& user);

// Whether this process may become other users: it has CAP_SETUID, CAP_SETGID.
bool MayBecomeOthers();

}  // namespace posix_internal

// For agents.
namespace posix {
using posix_internal::FindTaskUser;
using posix_internal::TaskUser;
}  // namespace posix
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TASK_USER_H_

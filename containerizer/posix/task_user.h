// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Looks up the user that a task runs as, and becomes that user.
//
//   const auto user = FindTaskUser("nobody");
//   if (user.ok() && user->has_value()) ...  // In the child: BecomeTaskUser().

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TASK_USER_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TASK_USER_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/posix/records.pb.h"

namespace external_containerizer {
namespace posix_internal {

// Looks up a user by name, or by number if the number has a name. nullopt if it
// is this process's own user. FAILED_PRECONDITION if the user does not exist,
// or if this process may not become it. RESOURCE_EXHAUSTED if the user cannot
// be looked up now. Asks the name service (NSS), which may block. Thread-safe.
absl::StatusOr<std::optional<TaskUser>> FindTaskUser(const std::string& user);

// Makes this process another user for good: its groups, gid and uid. It keeps
// no capabilities but those that an exec gives to root. For a process with one
// thread that is about to exec. Returns false, with errno, if that is not
// allowed; the process may have changed in part then.
bool BecomeTaskUser(const TaskUser& user);

// Returns whether this process may become other users: whether it has the
// capabilities CAP_SETUID and CAP_SETGID.
bool MayBecomeOthers();

}  // namespace posix_internal

// The names that the agent may use.
namespace posix {
using posix_internal::FindTaskUser;
using posix_internal::TaskUser;
}  // namespace posix
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TASK_USER_H_

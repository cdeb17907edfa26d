// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Messages that several parts of Lifecycle use. Internal to it; they are
// defined in lifecycle.cc.
//
//   return Return(call, BeingDestroyed(id));

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_LIFECYCLE_MESSAGES_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_LIFECYCLE_MESSAGES_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"

namespace external_containerizer {
namespace lifecycle_internal {

// The container for a message, escaped: container "web".
std::string Name(const ContainerId& id);

// ABORTED: for calls that a Destroy overtakes.
absl::Status BeingDestroyed(const ContainerId& id);

// FAILED_PRECONDITION: for calls that need a container that runs.
absl::Status HasEnded(const ContainerId& id);

// The Termination of a container whose program never said how it ended. It has
// no status, its state is TASK_LOST, and its message says `why`.
std::shared_ptr<const wire::Termination> MadeUp(absl::string_view why);

}  // namespace lifecycle_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_LIFECYCLE_MESSAGES_H_

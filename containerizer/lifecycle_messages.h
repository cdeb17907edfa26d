// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What Lifecycle says in more than one place. Internal to it.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_LIFECYCLE_MESSAGES_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_LIFECYCLE_MESSAGES_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"

namespace external_containerizer {
namespace lifecycle_internal {

inline std::string Name(const ContainerId& id) {
  return absl::StrCat("container \"", absl::CHexEscape(id), "\"");
}

inline absl::Status BeingDestroyed(const ContainerId& id) {
  return absl::AbortedError(absl::StrCat(
      Name(id), " is being destroyed; wait for Destroy to return"));
}

inline absl::Status HasEnded(const ContainerId& id) {
  return absl::FailedPreconditionError(
      absl::StrCat(Name(id), " has ended; Destroy it to acknowledge that"));
}

// What callers get where the program never said how the container ended.
inline std::shared_ptr<const wire::Termination> MadeUp(absl::string_view why) {
  auto termination = std::make_shared<wire::Termination>();
  termination->set_killed(false);
  termination->set_message(
      absl::StrCat("the program did not say how it ended: ", why));
  termination->set_state(wire::TASK_LOST);
  termination->add_reasons(wire::TaskStatus::REASON_EXECUTOR_TERMINATED);
  return termination;
}

}  // namespace lifecycle_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_LIFECYCLE_MESSAGES_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/blocking.h"

#include <utility>

#include "absl/synchronization/notification.h"

namespace external_containerizer {
namespace {

// Calls `method` and returns what its callback got: a Status or a StatusOr.
template <typename Result, typename Method, typename... Arguments>
Result Await(Containerizer& containerizer, Method method,
             Arguments&&... arguments) {
  if (containerizer.OnOwnThread()) {
    return absl::FailedPreconditionError(
        "a blocking call from a callback of the same containerizer would "
        "never return; use the Containerizer itself there");
  }
  Result result = absl::UnknownError("");
  absl::Notification returned;
  (containerizer.*method)(std::forward<Arguments>(arguments)...,
                          [&](Result value) {
                            result = std::move(value);
                            returned.Notify();
                          });
  returned.WaitForNotification();
  return result;
}

}  // namespace

absl::StatusOr<RecoverySummary> BlockingContainerizer::Recover(
    std::vector<KnownContainer> known) {
  return Await<absl::StatusOr<RecoverySummary>>(
      containerizer_, &Containerizer::Recover, std::move(known));
}

absl::Status BlockingContainerizer::Launch(LaunchRequest request) {
  return Await<absl::Status>(containerizer_, &Containerizer::Launch,
                             std::move(request));
}

absl::Status BlockingContainerizer::Update(const ContainerId& id,
                                           Resources resources) {
  return Await<absl::Status>(containerizer_, &Containerizer::Update, id,
                             std::move(resources));
}

absl::StatusOr<std::optional<wire::ResourceStatistics>>
BlockingContainerizer::Usage(const ContainerId& id) {
  return Await<absl::StatusOr<std::optional<wire::ResourceStatistics>>>(
      containerizer_, &Containerizer::Usage, id);
}

absl::StatusOr<wire::Termination> BlockingContainerizer::Wait(
    const ContainerId& id) {
  return Await<absl::StatusOr<wire::Termination>>(containerizer_,
                                                  &Containerizer::Wait, id);
}

absl::StatusOr<wire::Termination> BlockingContainerizer::Destroy(
    const ContainerId& id) {
  return Await<absl::StatusOr<wire::Termination>>(containerizer_,
                                                  &Containerizer::Destroy, id);
}

absl::StatusOr<std::vector<ContainerId>> BlockingContainerizer::Containers() {
  return Await<absl::StatusOr<std::vector<ContainerId>>>(
      containerizer_, &Containerizer::Containers);
}

}  // namespace external_containerizer

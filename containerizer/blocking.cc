// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/blocking.h"

#include <utility>

#include "absl/synchronization/notification.h"

namespace external_containerizer {
namespace {

// Makes the call and returns what its callback got. `Result` is a Status or a
// StatusOr.
template <typename Result, typename Call>
Result Await(const Containerizer& containerizer, Call call) {
  if (containerizer.OnOwnThread()) {
    return absl::FailedPreconditionError(
        "a blocking call from a callback of the same containerizer would "
        "never return; use the Containerizer itself there");
  }
  Result result = absl::UnknownError("");
  absl::Notification returned;
  call([&](Result value) {
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
      containerizer_, [&](Done<RecoverySummary> done) {
        containerizer_.Recover(std::move(known), std::move(done));
      });
}

absl::Status BlockingContainerizer::Launch(LaunchRequest request) {
  return Await<absl::Status>(containerizer_, [&](DoneStatus done) {
    containerizer_.Launch(std::move(request), std::move(done));
  });
}

absl::Status BlockingContainerizer::Update(const ContainerId& id,
                                           Resources resources) {
  return Await<absl::Status>(containerizer_, [&](DoneStatus done) {
    containerizer_.Update(id, std::move(resources), std::move(done));
  });
}

absl::StatusOr<std::optional<wire::ResourceStatistics>>
BlockingContainerizer::Usage(const ContainerId& id) {
  return Await<absl::StatusOr<std::optional<wire::ResourceStatistics>>>(
      containerizer_, [&](Done<std::optional<wire::ResourceStatistics>> done) {
        containerizer_.Usage(id, std::move(done));
      });
}

absl::StatusOr<wire::Termination> BlockingContainerizer::Wait(
    const ContainerId& id) {
  return Await<absl::StatusOr<wire::Termination>>(
      containerizer_, [&](Done<wire::Termination> done) {
        containerizer_.Wait(id, std::move(done));
      });
}

absl::StatusOr<wire::Termination> BlockingContainerizer::Destroy(
    const ContainerId& id) {
  return Await<absl::StatusOr<wire::Termination>>(
      containerizer_, [&](Done<wire::Termination> done) {
        containerizer_.Destroy(id, std::move(done));
      });
}

absl::StatusOr<std::vector<ContainerId>> BlockingContainerizer::Containers() {
  return Await<absl::StatusOr<std::vector<ContainerId>>>(
      containerizer_, [&](Done<std::vector<ContainerId>> done) {
        containerizer_.Containers(std::move(done));
      });
}

}  // namespace external_containerizer

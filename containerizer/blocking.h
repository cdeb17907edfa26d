// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// A Containerizer for callers that would rather wait: tests, tools, and
// embedders with a thread to spare.
//
//   BlockingContainerizer blocking(*containerizer);
//   absl::StatusOr<RecoverySummary> summary = blocking.Recover({});
//   absl::Status launched = blocking.Launch(request);
//   absl::StatusOr<wire::Termination> end = blocking.Wait(request.id);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_BLOCKING_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_BLOCKING_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/containerizer.h"

namespace external_containerizer {

// Thread-safe. Each method does what the method of the same name in
// Containerizer does, and returns when the call has ended. In a callback of the
// same Containerizer that would be never: there it is FAILED_PRECONDITION.
class BlockingContainerizer {
 public:
  // `containerizer` must outlive this, and all calls.
  explicit BlockingContainerizer(Containerizer& containerizer)
      : containerizer_(containerizer) {}

  absl::StatusOr<RecoverySummary> Recover(std::vector<KnownContainer> known);
  absl::Status Launch(LaunchRequest request);
  absl::Status Update(const ContainerId& id, Resources resources);
  absl::StatusOr<std::optional<wire::ResourceStatistics>> Usage(
      const ContainerId& id);
  absl::StatusOr<wire::Termination> Wait(const ContainerId& id);
  absl::StatusOr<wire::Termination> Destroy(const ContainerId& id);
  absl::StatusOr<std::vector<ContainerId>> Containers();

 private:
  Containerizer& containerizer_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_BLOCKING_H_

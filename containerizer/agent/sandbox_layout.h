// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Makes sandboxes where state/paths.h has them, as Mesos did. Beside the newest
// run of an executor, runs/latest is a link to it.
//
//   absl::StatusOr<NewSandbox> made =
//       MakeSandbox("/var/lib/agent", directory_fd, {"S", "F", "E", "C"});

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SANDBOX_LAYOUT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SANDBOX_LAYOUT_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/state/paths.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

struct NewSandbox {
  Sandbox sandbox;
  UniqueFd directory;  // Opened before a task could write to it.
};

// Makes a sandbox (mode 0750), gives it to `owner` if there is one, and sets
// "latest". `work_directory` is the absolute path of `work_directory_fd`.
// Follows no link below it. INVALID_ARGUMENT for ids that cannot be
// directories' names (state::Validate()), ALREADY_EXISTS if the sandbox is
// there.
absl::StatusOr<NewSandbox> MakeSandbox(
    const std::string& work_directory, int work_directory_fd,
    const state::RunId& run,
    std::optional<Sandbox::Owner> owner = std::nullopt);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SANDBOX_LAYOUT_H_

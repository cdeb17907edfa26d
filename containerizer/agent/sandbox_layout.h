// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Where sandboxes are below an agent's work directory, as in Mesos:
//
//   slaves/<agent>/frameworks/<framework>/executors/<executor>/runs/<container>
//
// Beside the newest run, runs/latest is a link to it.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SANDBOX_LAYOUT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SANDBOX_LAYOUT_H_

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/state/paths.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

struct MadeSandbox {
  Sandbox sandbox;
  UniqueFd directory;  // Opened before anybody else could write to it.
};

// Makes a sandbox (mode 0750), for `owner` if there is one, and sets "latest".
// `work_directory` is the absolute path of what `work_directory_fd` has open.
// ALREADY_EXISTS if it is there already.
absl::StatusOr<MadeSandbox> MakeSandbox(
    const std::string& work_directory, int work_directory_fd,
    const state::RunId& run,
    std::optional<Sandbox::Owner> owner = std::nullopt);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SANDBOX_LAYOUT_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/selected.h"

#include <utility>

#include "external_containerizer/transport/fork_exec/fork_exec.h"

namespace external_containerizer {

absl::string_view SelectedTransportName() { return "fork_exec"; }

TransportFactory SelectedTransport(TransportOptions options) {
  ForkExecOptions fork_exec;
  fork_exec.program = std::move(options.program);
  fork_exec.work_directory = std::move(options.work_directory);
  fork_exec.inherit = std::move(options.inherit);
  fork_exec.on_started = std::move(options.on_started);
  return ForkExecTransport(std::move(fork_exec));
}

}  // namespace external_containerizer

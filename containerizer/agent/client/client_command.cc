// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/client/client_command.h"

#include "external_containerizer/containerizer/agent/report.h"
#include "external_containerizer/containerizer/agent/task_flags.h"

namespace external_containerizer {

std::vector<Flag> ClientFlags(std::vector<Flag> own) {
  own.insert(own.begin(), WorkDirFlag("That of the agent that serves: `agent "
                                      "serve --work_dir=DIR`."));
  return own;
}

Flag JsonFlag(const std::string& what) { return {"json", "", what}; }

absl::StatusOr<std::unique_ptr<ControlClient>> Connect(const Call& call) {
  const absl::StatusOr<std::string> work_dir = WorkDirectoryOf(call);
  if (!work_dir.ok()) return work_dir.status();
  return ControlClient::Connect(*work_dir);
}

int Fail(const Call& call, const absl::Status& status) {
  return Fail(status, call.flags.On("json"));
}

}  // namespace external_containerizer

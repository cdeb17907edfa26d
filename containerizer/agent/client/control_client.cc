// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/client/control_client.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "external_containerizer/containerizer/agent/serve/control.h"
#include "external_containerizer/transport/linux/clock.h"

namespace external_containerizer {
absl::StatusOr<std::unique_ptr<ControlClient>> ControlClient::Connect(
    const std::string& work_dir) {
  absl::StatusOr<std::unique_ptr<EventLoop>> loop = EventLoop::Create();
  if (!loop.ok()) return loop.status();
  absl::StatusOr<std::unique_ptr<ttrpc::Client>> client =
      ttrpc::Client::Connect(**loop, control::SocketPath(work_dir));
  if (client.ok()) {
    return std::unique_ptr<ControlClient>(
        new ControlClient(work_dir, *std::move(loop), *std::move(client)));
  }
  if (!absl::IsNotFound(client.status()) &&
      !absl::IsUnavailable(client.status())) {
    return client.status();
  }
  return absl::UnavailableError(absl::StrCat(
      "no agent serves ", absl::CHexEscape(work_dir), " (",
      client.status().message(),
      "); start one: agent serve --work_dir=", absl::CHexEscape(work_dir)));
}

absl::Status ControlClient::AwayError(const absl::Status& status) const {
  return absl::Status(
      status.code(),
      absl::StrCat("the agent of ", absl::CHexEscape(work_dir_),
                   " went away before it answered, and may or may not have "
                   "done it: ",
                   status.message()));
}

absl::StatusOr<std::unique_ptr<ControlClient>> ConnectPatiently(
    const std::string& work_dir, absl::Duration patience) {
  const Deadline deadline(patience);
  for (;;) {
    absl::StatusOr<std::unique_ptr<ControlClient>> client =
        ControlClient::Connect(work_dir);
    if (!absl::IsUnavailable(client.status()) || deadline.Expired()) {
      return client;
    }
    absl::SleepFor(kAwayPause);
  }
}

}  // namespace external_containerizer

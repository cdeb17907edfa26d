// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/request.h"

#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "external_containerizer/containerizer/environment.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/validate.h"

namespace external_containerizer {
namespace {

absl::Status ValidateSandbox(const Sandbox& sandbox) {
  if (sandbox.root.empty() || sandbox.root[0] != '/') {
    return absl::InvalidArgumentError(
        absl::StrCat("the sandbox's root must be an absolute path, and is \"",
                     absl::CHexEscape(sandbox.root), "\""));
  }
  for (const absl::string_view part : absl::StrSplit(sandbox.path, '/')) {
    if (part.empty() || part == "." || part == ".." ||
        part.find('\0') != absl::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the sandbox's path must name a directory below its root, without "
          "\"..\", and is \"",
          absl::CHexEscape(sandbox.path), "\""));
    }
  }
  return absl::OkStatus();
}

// `message` is complete, and its id is valid.
template <typename Message>
absl::Status Serialize(const Message& message, absl::string_view command,
                       std::string* bytes) {
  if (message.SerializeToString(bytes) && bytes->size() <= kMaxInputBytes) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "the ", command, " record of container \"",
      message.container_id().value(), "\" has ", message.ByteSizeLong(),
      " bytes; at most ", kMaxInputBytes, " can be sent"));
}

template <typename Message>
std::string OnlyId(const ContainerId& id) {
  Message message;
  message.mutable_container_id()->set_value(id);
  return message.SerializeAsString();
}

}  // namespace

absl::StatusOr<Request> MakeLaunch(LaunchRequest launch,
                                   const EnvironmentOptions& environment) {
  absl::Status status = wire::ValidateId("container id", launch.id);
  if (!status.ok()) return status;
  Request request;
  request.environment = LaunchEnvironment(environment, launch);
  wire::Launch message;
  message.mutable_container_id()->set_value(launch.id);
  if (launch.task) *message.mutable_task_info() = *std::move(launch.task);
  *message.mutable_executor_info() = std::move(launch.executor);
  message.set_directory(launch.sandbox.FullPath());
  if (launch.user) message.set_user(*launch.user);
  if (!launch.agent_id.empty()) {
    message.mutable_slave_id()->set_value(launch.agent_id);
  }
  if (!launch.agent_pid.empty()) message.set_slave_pid(launch.agent_pid);
  message.set_checkpoint(launch.checkpoint);
  status.Update(wire::CheckComplete(message));
  status.Update(ValidateSandbox(launch.sandbox));
  status.Update(Serialize(message, "launch", &request.input));
  if (!status.ok()) return status;
  request.sandbox = std::move(launch.sandbox);
  return request;
}

absl::StatusOr<Request> MakeUpdate(const ContainerId& id, Resources resources) {
  absl::Status status = wire::ValidateId("container id", id);
  if (!status.ok()) return status;
  wire::Update message;
  message.mutable_container_id()->set_value(id);
  for (wire::Resource& resource : resources) {
    *message.add_resources() = std::move(resource);
  }
  Request request;
  status.Update(wire::CheckComplete(message));
  status.Update(Serialize(message, "update", &request.input));
  if (!status.ok()) return status;
  return request;
}

std::string InputOf(Command command, const ContainerId& id) {
  switch (command) {
    case Command::kUsage:
      return OnlyId<wire::Usage>(id);
    case Command::kWait:
      return OnlyId<wire::Wait>(id);
    case Command::kDestroy:
      return OnlyId<wire::Destroy>(id);
    default:
      return "";
  }
}

absl::Status ValidateKnown(const std::vector<KnownContainer>& known) {
  absl::flat_hash_set<absl::string_view> seen;
  for (const KnownContainer& container : known) {
    absl::Status status = wire::ValidateId("container id", container.id);
    if (container.sandbox) status.Update(ValidateSandbox(*container.sandbox));
    if (!status.ok()) return status;
    if (!seen.insert(container.id).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("container \"", absl::CHexEscape(container.id),
                       "\" is known twice; name each once"));
    }
  }
  return absl::OkStatus();
}

}  // namespace external_containerizer

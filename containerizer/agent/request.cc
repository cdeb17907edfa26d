// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/request.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "re2/re2.h"

namespace external_containerizer {

absl::StatusOr<std::vector<std::pair<std::string, std::string>>>
ParseEnvironment(const std::vector<std::string>& values) {
  // execve() takes names that a shell would not.
  static const RE2& kVariable =
      *new RE2("([^=\\x00-\\x1f\\x7f]+)=((?s:.*))", RE2::Latin1);
  constexpr size_t kMostShown = 100;
  std::vector<std::pair<std::string, std::string>> environment;
  for (const std::string& text : values) {
    std::string name, value;
    if (!RE2::FullMatch(text, kVariable, &name, &value)) {
      // The value may be secret, but not the name before it.
      const std::string shown = absl::CHexEscape(
          text.substr(0, text.find('=')).substr(0, kMostShown));
      return absl::InvalidArgumentError(absl::StrCat(
          "--env ", shown, " is not like NAME=VALUE",
          shown.empty() || text.find('=') != std::string::npos
              ? ""
              : absl::StrCat("; to pass on your own: --env=", shown, "=\"$",
                             shown, "\"")));
    }
    environment.erase(
        std::remove_if(environment.begin(), environment.end(),
                       [&](const auto& other) { return other.first == name; }),
        environment.end());
    environment.emplace_back(name, value);
  }
  return environment;
}

LaunchRequest MakeLaunchRequest(const state::RunId& run, const Sandbox& sandbox,
                                const TaskCommand& command,
                                const Resources& resources) {
  wire::CommandInfo info;
  info.set_shell(command.shell);
  info.set_value(command.program);
  for (const std::string& argument : command.arguments) {
    info.add_arguments(argument);
  }
  for (const auto& [name, value] : command.environment) {
    wire::Environment::Variable* variable =
        info.mutable_environment()->add_variables();
    variable->set_name(name);
    variable->set_value(value);
  }

  if (!command.user.empty()) info.set_user(command.user);

  LaunchRequest request;
  request.id = run.container;
  request.sandbox = sandbox;
  if (!command.user.empty()) request.user = command.user;
  request.agent_id = run.agent;
  request.task.emplace();
  request.task->set_name(run.executor);
  request.task->mutable_task_id()->set_value(run.executor);
  request.task->mutable_slave_id()->set_value(run.agent);
  *request.task->mutable_command() = info;
  request.executor.mutable_executor_id()->set_value(run.executor);
  request.executor.mutable_framework_id()->set_value(run.framework);
  *request.executor.mutable_command() = info;
  for (const wire::Resource& resource : resources) {
    *request.task->add_resources() = resource;
    *request.executor.add_resources() = resource;
  }
  return request;
}

}  // namespace external_containerizer

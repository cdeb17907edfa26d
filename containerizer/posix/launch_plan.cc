// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/launch_plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/task_user.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

const wire::CommandInfo* FindCommand(const wire::Launch& launch) {
  for (const wire::CommandInfo* command :
       {&launch.executor_info().command(), &launch.task_info().command()}) {
    if (command->has_value()) return command;
  }
  return nullptr;
}

bool HasNul(const std::string& string) {
  return string.find('\0') != string.npos;
}

bool HasNul(const google::protobuf::RepeatedPtrField<std::string>& strings) {
  return std::any_of(strings.begin(), strings.end(),
                     [](const std::string& string) { return HasNul(string); });
}

}  // namespace

absl::StatusOr<TaskSpec> MakeTaskSpec(
    const wire::Launch& launch,
    const std::map<std::string, std::string>& environment) {
  const wire::CommandInfo* command = FindCommand(launch);
  if (command == nullptr || command->value().empty()) {
    return absl::InvalidArgumentError(
        "nothing to run: neither executor_info nor task_info has a command "
        "with a value");
  }
  TaskSpec spec;
  if (command->shell()) {
    spec.set_executable("/bin/sh");
    for (const char* argument : {"sh", "-c"}) spec.add_arguments(argument);
    spec.add_arguments(command->value());
  } else {
    spec.set_executable(command->value());
    for (const std::string& argument : command->arguments()) {
      spec.add_arguments(argument);
    }
    if (spec.arguments().empty()) spec.add_arguments(command->value());
  }
  std::map<std::string, std::string> merged = environment;
  const std::string& user =
      launch.user().empty() ? command->user() : launch.user();
  if (!user.empty()) {
    const absl::StatusOr<std::optional<TaskUser>> found = FindTaskUser(user);
    if (!found.ok()) return found.status();
    if (found->has_value()) {
      *spec.mutable_user() = **found;
      merged["HOME"] = spec.user().home();
      merged["USER"] = spec.user().name();
      merged["LOGNAME"] = spec.user().name();
    }
  }
  for (const wire::Environment::Variable& variable :
       command->environment().variables()) {
    if (variable.name().empty() ||
        variable.name().find('=') != std::string::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          "no environment variable can be named \"", variable.name(), "\""));
    }
    merged[variable.name()] = variable.value();
  }
  // This process may itself run in a container of posix.
  merged.erase(kTokenVariable);
  for (const auto& variable : merged) {
    spec.add_environment(absl::StrCat(variable.first, "=", variable.second));
  }
  if (HasNul(spec.executable()) || HasNul(spec.arguments()) ||
      HasNul(spec.environment())) {
    return absl::InvalidArgumentError(
        "a part of the command or of its environment has a NUL in it");
  }
  return spec;
}

Limits LimitsOf(
    const google::protobuf::RepeatedPtrField<wire::Resource>& resources) {
  Limits limits;
  for (const wire::Resource& resource : resources) {
    if (!resource.has_scalar()) continue;
    const double amount = resource.scalar().value();
    if (resource.name() == "cpus") {
      limits.set_cpus(limits.cpus() + amount);
    } else if (resource.name() == "mem") {
      limits.set_mem_mib(limits.mem_mib() + amount);
    }
  }
  return limits;
}

Limits LimitsOf(const wire::Launch& launch) {
  return launch.executor_info().resources().empty()
             ? LimitsOf(launch.task_info().resources())
             : LimitsOf(launch.executor_info().resources());
}

}  // namespace posix_internal
}  // namespace external_containerizer

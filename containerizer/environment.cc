// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/environment.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace {

// An executor that has lost the agent waits at most this long before it tries
// to register again. It is a constant in Mesos, too.
constexpr absl::Duration kSubscriptionBackoffMax = absl::Seconds(2);

absl::Duration ShutdownGracePeriod(const EnvironmentOptions& options,
                                   const wire::ExecutorInfo& executor) {
  if (executor.has_shutdown_grace_period()) {
    return absl::Nanoseconds(executor.shutdown_grace_period().nanoseconds());
  }
  return options.executor_shutdown_grace_period;
}

}  // namespace

std::string MesosDuration(absl::Duration duration) {
  constexpr std::pair<const char*, int64_t> kUnits[] = {
      {"weeks", 604800000000000},
      {"days", 86400000000000},
      {"hrs", 3600000000000},
      {"mins", 60000000000},
      {"secs", 1000000000},
      {"ms", 1000000},
      {"us", 1000},
  };
  const int64_t nanoseconds = absl::ToInt64Nanoseconds(duration);
  for (const auto& [unit, size] : kUnits) {
    if (nanoseconds != 0 && nanoseconds % size == 0) {
      return absl::StrCat(nanoseconds / size, unit);
    }
  }
  return absl::StrCat(nanoseconds, "ns");
}

Environment CommandEnvironment(const EnvironmentOptions& options) {
  return {{"MESOS_LIBEXEC_DIRECTORY", options.libexec_directory},
          {"MESOS_WORK_DIRECTORY", options.work_directory}};
}

Environment LaunchEnvironment(const EnvironmentOptions& options,
                              const LaunchRequest& request) {
  Environment result = options.executor_environment;
  result["LIBPROCESS_PORT"] = "0";
  result["MESOS_FRAMEWORK_ID"] = request.executor.framework_id().value();
  result["MESOS_EXECUTOR_ID"] = request.executor.executor_id().value();
  result["MESOS_DIRECTORY"] = request.sandbox.FullPath();
  result["MESOS_SLAVE_ID"] = request.agent_id;
  result["MESOS_SLAVE_PID"] = request.agent_pid;
  result["MESOS_CHECKPOINT"] = request.checkpoint ? "1" : "0";
  result["MESOS_HTTP_COMMAND_EXECUTOR"] =
      options.http_command_executor ? "1" : "0";
  result["MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD"] =
      MesosDuration(ShutdownGracePeriod(options, request.executor));
  if (request.checkpoint) {
    result["MESOS_RECOVERY_TIMEOUT"] = MesosDuration(options.recovery_timeout);
    result["MESOS_SUBSCRIPTION_BACKOFF_MAX"] =
        MesosDuration(kSubscriptionBackoffMax);
  }
  for (auto& [name, value] : CommandEnvironment(options)) result[name] = value;
  return result;
}

}  // namespace external_containerizer

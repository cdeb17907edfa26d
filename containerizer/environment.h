// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The variables that a program finds, beside those it inherits: those of Mesos
// 0.19 to 1.0, which docs/protocol.md lists. Pure.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_ENVIRONMENT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_ENVIRONMENT_H_

#include <string>

#include "absl/time/time.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/options.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// For every command: MESOS_LIBEXEC_DIRECTORY and MESOS_WORK_DIRECTORY.
Environment CommandEnvironment(const EnvironmentOptions& options);

// For `launch`: those, and what the executor is to find.
// `executor_environment` wins over the native library, and over nothing else.
// PATH is only here if it is there: else all commands inherit the same one.
Environment LaunchEnvironment(const EnvironmentOptions& options,
                              const LaunchRequest& request);

// As Mesos writes durations: "5secs", "15mins", "1500ms". The largest unit of
// which it is a whole number; an infinite one is the longest that Mesos reads.
std::string MesosDuration(absl::Duration duration);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_ENVIRONMENT_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The variables that a program finds, beside the ones that it inherits. They
// are those of Mesos 0.19 to 1.0 (docs/protocol.md lists them). Pure.
//
//   EnvironmentOptions options;
//   options.work_directory = "/var/lib/my_agent";
//   Environment environment = LaunchEnvironment(options, request);

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_ENVIRONMENT_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_ENVIRONMENT_H_

#include <string>

#include "absl/time/time.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/options.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// The variables of every command: MESOS_LIBEXEC_DIRECTORY and
// MESOS_WORK_DIRECTORY.
Environment CommandEnvironment(const EnvironmentOptions& options);

// The variables of `launch`: in addition, the ones that the executor is to
// find, and EnvironmentOptions::executor_environment. It has a PATH only if
// that has one; otherwise all commands inherit the same PATH.
Environment LaunchEnvironment(const EnvironmentOptions& options,
                              const LaunchRequest& request);

// A duration as Mesos writes it: "5secs", "15mins", "1500ms". The unit is the
// largest one that gives a whole number. An infinite duration becomes the
// longest that Mesos reads.
std::string MesosDuration(absl::Duration duration);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_ENVIRONMENT_H_

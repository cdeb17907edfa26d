// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What a call sends to the program: checked, and serialized. Pure.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_REQUEST_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_REQUEST_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/options.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

struct Request {
  std::string input;  // Of the Invocation.
  std::optional<Sandbox> sandbox;
  Environment environment;
};

// INVALID_ARGUMENT, naming what is wrong: the id, what the protocol requires
// and is missing (D40), the sandbox's path, or more than kMaxInputBytes.
absl::StatusOr<Request> MakeLaunch(LaunchRequest launch,
                                   const EnvironmentOptions& environment);
absl::StatusOr<Request> MakeUpdate(const ContainerId& id, Resources resources);

// Of usage, wait and destroy.
std::string InputOf(Command command, const ContainerId& id);

// Whether ids and sandboxes are ones, and no id is there twice.
absl::Status ValidateKnown(const std::vector<KnownContainer>& known);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_REQUEST_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What a call sends to the program: checked and serialized. Pure.
//
//   absl::StatusOr<Request> request = MakeUpdate("web", resources);
//   if (!request.ok()) return request.status();
//   invocation.input = std::move(request->input);

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

// Parts of an Invocation. An update has no more than the input.
struct Request {
  std::string input;
  std::optional<Sandbox> sandbox;
  Environment environment;
};

// INVALID_ARGUMENT names what is wrong: the id, a field that the protocol
// requires and that is missing (D40), the sandbox's path, or a message of more
// than kMaxInputBytes.
absl::StatusOr<Request> MakeLaunch(LaunchRequest launch,
                                   const EnvironmentOptions& environment);
absl::StatusOr<Request> MakeUpdate(const ContainerId& id, Resources resources);

// The input of usage, wait and destroy: the id alone, which is valid.
std::string InputOf(Command command, const ContainerId& id);

// OK if all ids and sandboxes are valid, and each id is there once.
absl::Status ValidateKnown(const std::vector<KnownContainer>& known);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_REQUEST_H_

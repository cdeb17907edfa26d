// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// From the bytes of a command to a handler of a Program, and from its reply
// back to bytes.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_DISPATCH_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_DISPATCH_H_

#include <map>
#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/program/program.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// How a command ended: a record, none, or an error, which names the container.
using HandlerResult = absl::StatusOr<std::optional<std::string>>;
using HandlerDone = absl::AnyInvocable<void(HandlerResult) &&>;

// Calls the handler of `command` with the message that `input` is. `done` is
// called once, with the reply, on whatever thread that is given; at once, with
// INVALID_ARGUMENT, if `input` is no such message.
void Dispatch(Command command, absl::string_view input, const Context& context,
              Program& program, HandlerDone done);

// Of the agent, from `environment` (MESOS_WORK_DIRECTORY and so on). The
// sandbox is left empty.
Context MakeContext(std::map<std::string, std::string> environment);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_DISPATCH_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Turns the bytes of a command into a call of a Program's handler, and the
// reply back into bytes.
//
//   Dispatch(Command::kUsage, input, MakeContext(environment), program,
//            [](HandlerResult result) { Answer(std::move(result)); });

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

// The end of a command: a record, no record, or an error that names the
// container.
using HandlerResult = absl::StatusOr<std::optional<std::string>>;
using HandlerDone = absl::AnyInvocable<void(HandlerResult) &&>;

// Calls the handler of `command` with the message in `input`. `done` is called
// once, with the reply, on the thread that gives the reply. It is called at
// once, with INVALID_ARGUMENT, if `input` is not a complete message with a
// valid id.
void Dispatch(Command command, absl::string_view input, const Context& context,
              Program& program, HandlerDone done);

// A context with `environment` and what it says about the agent. The sandbox is
// empty.
Context MakeContext(std::map<std::string, std::string> environment);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_DISPATCH_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Checks ids and messages before they are used. A caller, a program or a file
// may have got them wrong.
//
//   absl::Status status = ValidateId("container id", "../web");
//   status.Update(CheckComplete(launch));

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_WIRE_VALIDATE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_WIRE_VALIDATE_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace external_containerizer {
namespace wire {

// The longest name that a file can have.
inline constexpr size_t kMaxIdBytes = 255;

// OK if `id` can be one component of a path and one argument of a command, even
// in a script that quotes it badly (D32). An id is INVALID_ARGUMENT if
//   it is empty, or longer than kMaxIdBytes;
//   it is "." or "..";
//   it begins with "-", as an option does;
//   it contains a slash, a backslash, a quote (' " `) or a control character.
// Everything else is allowed, with spaces and bytes that are no UTF-8.
//
// The message begins with `kind` ("container id"), and quotes the beginning of
// the id, escaped.
absl::Status ValidateId(absl::string_view kind, absl::string_view id);

// OK if `message` has every field that all releases of Mesos which know the
// field require, so that the other side can read it (D40). An enum field counts
// as there if it holds a value of a later release. Ids are not looked at.
//
// The error has `code` and names the first field that is missing: "the Launch
// lacks task_info.resources[2].name, which the protocol requires".
//
// Works for every message in this directory. A message that is nested deeper
// than protobuf reads (100) is incomplete: nobody could read it. An empty
// Termination is complete.
absl::Status CheckComplete(
    const google::protobuf::Message& message,
    absl::StatusCode code = absl::StatusCode::kInvalidArgument);

}  // namespace wire
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_WIRE_VALIDATE_H_

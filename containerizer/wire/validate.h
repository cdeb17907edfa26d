// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Whether ids and messages are fit for use. A caller, a program or a file may
// have got them wrong, so they are looked at before anything starts.

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

// OK if `id` can be one component of a path and one argument of a command,
// also where somebody's script forgets to quote it well (D32). It is not if it
//   is empty or longer than kMaxIdBytes,
//   is "." or "..", or begins with "-", which programs take for an option,
//   has a slash, a backslash, a quote (' " `) or a control character in it.
// All else is allowed, spaces and what is not UTF-8 too.
//
// INVALID_ARGUMENT otherwise. Its message begins with `kind` ("container id")
// and quotes the beginning of the id, escaped.
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

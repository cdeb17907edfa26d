// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Whether ids and messages are fit for use. A caller, a program or a file may
// have got them wrong, so they are looked at before anything starts.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_WIRE_VALIDATE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_WIRE_VALIDATE_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
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

// The first field that `message`, or a message in it, lacks although every
// release of Mesos that has the field requires it: a path such as
// "task_info.resources[2].name". nullopt if the message is complete. An enum
// field counts as there if it holds a value of a later release.
//
// Works for every message in this directory. One that is nested deeper than
// protobuf reads (100) is incomplete: nobody could read it.
std::optional<std::string> FindMissingField(
    const google::protobuf::Message& message);

// OK if the message has all that the protocol requires (FindMissingField), so
// that the other side can read it (D40). Whether ids are fit for use is not
// looked at.
//
// What an agent sends is INVALID_ARGUMENT otherwise,
absl::Status CheckComplete(const Launch& launch);
absl::Status CheckComplete(const Update& update);
absl::Status CheckComplete(const Usage& usage);
absl::Status CheckComplete(const Wait& wait);
absl::Status CheckComplete(const Destroy& destroy);

// and what a program answers is DATA_LOSS. An empty Termination is complete.
absl::Status CheckComplete(const Termination& termination);
absl::Status CheckComplete(const Containers& containers);
absl::Status CheckComplete(const ResourceStatistics& statistics);

}  // namespace wire
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_WIRE_VALIDATE_H_

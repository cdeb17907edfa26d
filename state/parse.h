// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Parses a message without a copy of its bytes.
//
//   wire::Resource resource;
//   if (!Parse(payload, resource)) return absl::DataLossError("no resource");

#ifndef EXTERNAL_CONTAINERIZER_STATE_PARSE_H_
#define EXTERNAL_CONTAINERIZER_STATE_PARSE_H_

#include <limits>

#include "absl/strings/string_view.h"
#include "google/protobuf/message_lite.h"

namespace external_containerizer {
namespace state {

// False for bytes that are no message of that type, and for more of them than
// protobuf can count, which counts in int.
inline bool Parse(absl::string_view bytes,
                  google::protobuf::MessageLite& message) {
  return bytes.size() <= std::numeric_limits<int>::max() &&
         message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_PARSE_H_

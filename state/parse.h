// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Reads a message from bytes that are somebody else's, without a copy of them.

#ifndef EXTERNAL_CONTAINERIZER_STATE_PARSE_H_
#define EXTERNAL_CONTAINERIZER_STATE_PARSE_H_

#include <limits>

#include "absl/strings/string_view.h"
#include "google/protobuf/message_lite.h"

namespace external_containerizer {
namespace state {

// Protobuf counts in int.
inline bool Parse(absl::string_view bytes,
                  google::protobuf::MessageLite& message) {
  return bytes.size() <= std::numeric_limits<int>::max() &&
         message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_PARSE_H_

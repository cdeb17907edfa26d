// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Keys and values that travel with a request.
//
//   const Metadata metadata = {{"containerd-namespace-ttrpc", "k8s.io"}};
//   Call(client, kPing, request, {absl::Seconds(5), metadata}, ...);

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_METADATA_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_METADATA_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace external_containerizer {
namespace ttrpc {

// Pairs of key and value, in order. A key may occur more than once. Both are
// UTF-8, and keys are sent in lower case. At most kMaxMetadata pairs.
using Metadata = std::vector<std::pair<std::string, std::string>>;

// A pair takes two bytes in a request and a hundred times as much memory.
inline constexpr size_t kMaxMetadata = 1000;

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_METADATA_H_

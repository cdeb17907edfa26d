// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_METADATA_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_METADATA_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace external_containerizer {
namespace ttrpc {

// Keys and values that go along with a request, in order; a key may come more
// than once. Keys are lower-cased when they are sent. UTF-8, and at most
// kMaxMetadata pairs.
using Metadata = std::vector<std::pair<std::string, std::string>>;

// More would make a request of two bytes a pair a hundred times larger.
inline constexpr size_t kMaxMetadata = 1000;

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_METADATA_H_

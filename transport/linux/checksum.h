// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The one checksum of this project: FNV-1a with 64 bits. It finds accidental
// damage, not malice. Files and names that other versions wrote depend on it,
// so it never changes.
//
//   Checksum("foobar") == 0x85944171f73967e8

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_CHECKSUM_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_CHECKSUM_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace external_containerizer {

// Any thread, also at compile time.
constexpr uint64_t Checksum(absl::string_view bytes) {
  uint64_t hash = 14695981039346656037u;
  for (const char byte : bytes) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211u;
  }
  return hash;
}

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_CHECKSUM_H_

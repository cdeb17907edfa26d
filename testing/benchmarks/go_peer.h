// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// containerd's ttrpc, as testing/ttrpc/peer.go uses it, built on the spot from
// Debian's packages.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_GO_PEER_H_
#define EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_GO_PEER_H_

#include <string>

#include "absl/status/statusor.h"

namespace external_containerizer {

// Builds it in `directory`, which must exist, from the sources in `sources`.
// Its path. FAILED_PRECONDITION names the package that is missing.
absl::StatusOr<std::string> BuildGoPeer(const std::string& sources,
                                        const std::string& directory);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_BENCHMARKS_GO_PEER_H_

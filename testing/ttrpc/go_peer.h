// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// containerd's ttrpc in a program of its own: peer.go, built on the spot from
// Debian's packages. Whether those are installed is nothing that a build could
// know.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_TTRPC_GO_PEER_H_
#define EXTERNAL_CONTAINERIZER_TESTING_TTRPC_GO_PEER_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace external_containerizer {

struct GoPeer {
  std::string path;
  // ttrpc 1.2 refuses to send what is larger than a frame; 1.1 sends it.
  bool is_1_2 = false;
};

// FAILED_PRECONDITION names a package that BuildGoPeer() needs and that is not
// installed.
absl::Status HasGoPackages();

// Builds it in `directory`, which must exist, from the sources in `sources`;
// takes some seconds. INTERNAL has what the compiler says.
absl::StatusOr<GoPeer> BuildGoPeer(const std::string& sources,
                                   const std::string& directory);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_TTRPC_GO_PEER_H_

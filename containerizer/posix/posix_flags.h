// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Parses the command line of `posix`, whose options stand before the command.
//
//   const absl::StatusOr<PosixFlags> flags =
//       ParsePosixFlags({"--grace=5s", "launch"});

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_FLAGS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/posix/posix_options.h"

namespace external_containerizer {
namespace posix_internal {

struct PosixFlags {
  PosixOptions options;
  // The arguments after the options; {"--help"} if help is asked for.
  std::vector<std::string> rest;
};

// `arguments` does not have argv[0]. INVALID_ARGUMENT names the argument that
// is wrong, and says how to write it.
absl::StatusOr<PosixFlags> ParsePosixFlags(
    const std::vector<std::string>& arguments);

// Returns the part of --help that is about these options.
std::string PosixHelp();

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_FLAGS_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The command line of `posix`: its options stand before the command.

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
  // What follows the options; "--help" alone if help is asked for.
  std::vector<std::string> rest;
};

// `arguments` are without argv[0]. INVALID_ARGUMENT names the one that is
// wrong, and what it should be.
absl::StatusOr<PosixFlags> ParsePosixFlags(
    const std::vector<std::string>& arguments);

std::string PosixHelp();

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_FLAGS_H_

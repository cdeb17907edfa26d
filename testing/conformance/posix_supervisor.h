// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// For programs that are posix but for one fault.

#ifndef EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_POSIX_SUPERVISOR_H_
#define EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_POSIX_SUPERVISOR_H_

#include <limits.h>
#include <unistd.h>

#include <string>

#include "external_containerizer/containerizer/posix/posix_options.h"

namespace external_containerizer {

// The supervisor is that of the posix that was built beside this program.
inline PosixOptions PosixBesideUs() {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  std::string directory(path, size > 0 ? static_cast<size_t>(size) : 0);
  directory.resize(directory.rfind('/') + 1);
  PosixOptions options;
  options.supervisor = directory + "../../containerizer/posix/posix";
  return options;
}

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_CONFORMANCE_POSIX_SUPERVISOR_H_

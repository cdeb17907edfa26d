// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/packages.h"

#include <unistd.h>

namespace external_containerizer {

std::string MissingPackage(const std::string& path,
                           const std::string& package) {
  if (access(path.c_str(), F_OK) == 0) return "";
  return path + " is missing: install Debian's package " + package;
}

std::string MissingForPythonProgram() {
  const std::string python = MissingPackage("/usr/bin/python3", "python3");
  if (!python.empty()) return python;
  return MissingPackage("/usr/lib/python3/dist-packages/google/protobuf",
                        "python3-protobuf");
}

}  // namespace external_containerizer

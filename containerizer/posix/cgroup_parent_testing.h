// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Where tests make cgroups: in the test's own, as posix does; or, where that
// cannot have any below (version 2, and other processes are in it), in one that
// --test_env=POSIX_TEST_CGROUP_PARENT=/PATH names as /proc/PID/cgroup does.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_PARENT_TESTING_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_PARENT_TESTING_H_

#include <stdlib.h>

#include <string>

namespace external_containerizer {
namespace posix_internal {

// Empty: the own one.
inline std::string TestCgroupParent() {
  const char* const parent = getenv("POSIX_TEST_CGROUP_PARENT");
  return parent == nullptr ? "" : parent;
}

}  // namespace posix_internal

// For tests of agents.
namespace posix {
using posix_internal::TestCgroupParent;
}  // namespace posix
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_PARENT_TESTING_H_

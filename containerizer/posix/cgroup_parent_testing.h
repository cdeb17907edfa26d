// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Says below which cgroup tests make theirs. The default is the test's own
// cgroup, as in posix. A cgroup of version 2 that has processes cannot be used;
// then --test_env=POSIX_TEST_CGROUP_PARENT=/PATH names another one, as
// /proc/PID/cgroup names it.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_PARENT_TESTING_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_PARENT_TESTING_H_

#include <stdlib.h>

#include <string>

namespace external_containerizer {
namespace posix_internal {

// Returns the name of the cgroup; empty for the test's own.
inline std::string TestCgroupParent() {
  const char* const parent = getenv("POSIX_TEST_CGROUP_PARENT");
  return parent == nullptr ? "" : parent;
}

}  // namespace posix_internal

// The name that tests of the agent use.
namespace posix {
using posix_internal::TestCgroupParent;
}  // namespace posix
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_PARENT_TESTING_H_

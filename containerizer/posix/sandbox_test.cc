// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/sandbox.h"

#include "absl/status/status.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::HasSubstr;

TEST(SandboxTest, ASandboxIsAnAbsolutePathToADirectory) {
  EXPECT_THAT(OpenSandbox(""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(OpenSandbox("relative"),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(OpenSandbox("/proc/self/stat"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(OpenSandbox("/"), IsOk());
  EXPECT_THAT(OpenSandbox("/no/such/dir"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("/no/such/dir")));
  // A link to a directory.
  EXPECT_THAT(OpenSandbox("/proc/self/cwd"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

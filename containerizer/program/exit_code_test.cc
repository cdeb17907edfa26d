// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/exit_code.h"

#include <optional>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

TEST(ExitCodeTest, AnErrorKeepsItsCodeUnderAnotherMessage) {
  absl::Status status = absl::NotFoundError("one");
  EXPECT_EQ(ExitCodeOf(status), std::nullopt);
  EXPECT_EQ(ExitCodeOf(WithMessage(status, "two")), std::nullopt);
  SetExitCode(kCommandNotFound, status);
  const absl::Status other = WithMessage(status, "two");
  EXPECT_EQ(ExitCodeOf(other), 127);
  EXPECT_EQ(other.message(), "two");
  EXPECT_EQ(other.code(), absl::StatusCode::kNotFound);
}

TEST(ExitCodeTest, SuccessHasNone) {
  absl::Status status;
  SetExitCode(kCommandNotFound, status);
  EXPECT_EQ(ExitCodeOf(status), std::nullopt);
}

}  // namespace
}  // namespace external_containerizer

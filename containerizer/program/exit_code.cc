// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/exit_code.h"

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace external_containerizer {
namespace {

constexpr char kPayload[] = "external_containerizer/exit_code";

}  // namespace

void SetExitCode(int code, absl::Status& status) {
  status.SetPayload(kPayload, absl::Cord(absl::StrCat(code)));
}

std::optional<int> ExitCodeOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayload);
  int code = 0;
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &code)) {
    return std::nullopt;
  }
  return code;
}

absl::Status WithMessage(const absl::Status& status,
                         absl::string_view message) {
  absl::Status result(status.code(), message);
  if (const std::optional<int> code = ExitCodeOf(status)) {
    SetExitCode(*code, result);
  }
  return result;
}

}  // namespace external_containerizer

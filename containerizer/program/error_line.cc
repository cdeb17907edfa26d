// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/error_line.h"

#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace external_containerizer {
namespace {

constexpr size_t kMaxLine = 4096;

}  // namespace

std::string ErrorLine(absl::string_view program, absl::string_view text) {
  std::string line =
      absl::StrReplaceAll(absl::CHexEscape(absl::StrCat(program, ": ", text)),
                          {{"\\\"", "\""}, {"\\'", "'"}});
  if (line.size() > kMaxLine) line = line.substr(0, kMaxLine) + "...";
  return line;
}

std::string WithCode(const absl::Status& status) {
  return absl::StrCat(std::string(status.message()), " (",
                      absl::StatusCodeToString(status.code()), ")");
}

}  // namespace external_containerizer

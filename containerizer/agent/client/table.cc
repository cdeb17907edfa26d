// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/client/table.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"

namespace external_containerizer {

std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const std::vector<std::string>& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 1);
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string& cell = row[i].empty() ? "-" : row[i];
      absl::StrAppend(&text, cell);
      if (i + 1 < row.size()) text.append(widths[i] + 2 - cell.size(), ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace external_containerizer

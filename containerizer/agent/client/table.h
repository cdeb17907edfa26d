// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Rows of text in columns, for people.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_TABLE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_TABLE_H_

#include <string>
#include <vector>

namespace external_containerizer {

// A line for each row, the first of which is the head. A column is as wide as
// its widest cell, and two spaces are between them; the last is not padded. A
// cell is one line of printable text, as OneLine() makes it; an empty one is
// shown as "-".
std::string Table(const std::vector<std::vector<std::string>>& rows);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_TABLE_H_

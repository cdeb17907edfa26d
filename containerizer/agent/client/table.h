// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Text in columns, for people.
//
//   Print(Table({{"CONTAINER", "STATE"}, {"one", "running"}, {"two", ""}}));
//
//   CONTAINER  STATE
//   one        running
//   two        -

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_TABLE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_TABLE_H_

#include <string>
#include <vector>

namespace external_containerizer {

// Returns one line for each row; the first row is the head. A column is as wide
// as its widest cell, with two spaces between columns; the last column is not
// padded. Each cell must be one line of printable text, as OneLine() makes it.
// An empty cell is shown as "-".
std::string Table(const std::vector<std::vector<std::string>>& rows);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_CLIENT_TABLE_H_

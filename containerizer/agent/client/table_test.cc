// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/client/table.h"

#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

TEST(TableTest, ColumnsAreAsWideAsTheirWidestCell) {
  EXPECT_EQ(Table({{"ID", "STATE", "COMMAND"},
                   {"one", "running", "sleep 600"},
                   {"a-longer-one", "", "x"}}),
            "ID            STATE    COMMAND\n"
            "one           running  sleep 600\n"
            "a-longer-one  -        x\n");
}

TEST(TableTest, AnEmptyTableIsItsHead) {
  EXPECT_EQ(Table({{"ID", "STATE"}}), "ID  STATE\n");
  EXPECT_EQ(Table({}), "");
}

TEST(TableTest, AnEmptyCellAtTheEndIsShown) {
  EXPECT_EQ(Table({{"A", "B"}, {"1", ""}}), "A  B\n1  -\n");
}

}  // namespace
}  // namespace external_containerizer

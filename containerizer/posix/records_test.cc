// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/records.h"

#include <cstdint>
#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

TEST(RecordsTest, MessagesAreFoundOneAfterAnother) {
  const std::string file = FramedRecord("one") + FramedRecord("");
  RecordScanner scanner(file);
  EXPECT_EQ(scanner.Next(), "one");
  EXPECT_EQ(scanner.Next(), "");
  EXPECT_EQ(scanner.Next(), std::nullopt);
  EXPECT_FALSE(scanner.damaged());
}

TEST(RecordsTest, ADamagedMessageIsPassedOver) {
  std::string file = FramedRecord("one") + FramedRecord("two");
  file[FramedRecord("one").size() - 1] = 'x';
  RecordScanner scanner(file);
  EXPECT_EQ(scanner.Next(), "two");
  EXPECT_EQ(scanner.Next(), std::nullopt);
  EXPECT_TRUE(scanner.damaged());
}

TEST(RecordsTest, HalfARecordIsNoDamageButALengthThatCannotBeIs) {
  const std::string record = FramedRecord("one");
  for (size_t size = 0; size < record.size(); ++size) {
    const std::string half = record.substr(0, size);
    RecordScanner scanner(half);
    EXPECT_EQ(scanner.Next(), std::nullopt) << size;
    EXPECT_FALSE(scanner.damaged()) << size;
  }
  RecordScanner scanner("text of somebody else's");
  EXPECT_EQ(scanner.Next(), std::nullopt);
  EXPECT_TRUE(scanner.damaged());
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

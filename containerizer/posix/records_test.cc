// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/records.h"

#include <cstdint>
#include <optional>
#include <string>

#include "external_containerizer/containerizer/posix/records.pb.h"
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

TEST(RecordsTest, AMessageOfFixedFieldsIsWhatProtobufWouldWrite) {
  TaskStart start;
  start.set_supervisor_pid(0xfedcba98);
  start.set_supervisor_start_ticks(uint64_t{0xfedcba98} << 32 | 1);
  ContainerRecord record;
  *record.mutable_start() = start;
  FixedMessage fields;
  fields.Add32(TaskStart::kSupervisorPidFieldNumber, start.supervisor_pid());
  fields.Add64(TaskStart::kSupervisorStartTicksFieldNumber,
               start.supervisor_start_ticks());
  FixedMessage outer;
  outer.AddMessage(ContainerRecord::kStartFieldNumber, fields);
  EXPECT_EQ(outer.bytes(), record.SerializeAsString());
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/update_log.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/wire/checkpoint.pb.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/record_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr size_t kMax = 1 << 20;

wire::StatusUpdateRecord Update(char uuid) {
  wire::StatusUpdateRecord record;
  record.set_type(wire::StatusUpdateRecord::UPDATE);
  wire::StatusUpdate& update = *record.mutable_update();
  update.mutable_framework_id()->set_value("F");
  update.mutable_status()->mutable_task_id()->set_value("T");
  update.mutable_status()->set_state(wire::TASK_RUNNING);
  update.set_timestamp(1);
  update.set_uuid(std::string(kUuidBytes, uuid));
  return record;
}

wire::StatusUpdateRecord Ack(char uuid) {
  wire::StatusUpdateRecord record;
  record.set_type(wire::StatusUpdateRecord::ACK);
  record.set_uuid(std::string(kUuidBytes, uuid));
  return record;
}

std::string Bytes(const wire::StatusUpdateRecord& record) {
  return EncodeRecord(record.SerializeAsString());
}

void ExpectDamage(const wire::StatusUpdateRecord& bad, const char* why) {
  const std::string good = Bytes(Update('a'));
  const UpdateLog log =
      ReadUpdateLog(good + Bytes(bad) + Bytes(Ack('a')), kMax);
  EXPECT_THAT(log.end.damage,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr(why)));
  EXPECT_EQ(log.end.good_bytes, good.size());
  EXPECT_EQ(log.updates.size(), 1u);
  EXPECT_TRUE(log.acks.empty());
}

TEST(UpdateLogTest, UpdatesKeepTheirOrderAndAcksAreASet) {
  const UpdateLog log = ReadUpdateLog(Bytes(Update('b')) + Bytes(Ack('b')) +
                                          Bytes(Update('a')) + Bytes(Ack('b')),
                                      kMax);
  ASSERT_EQ(log.updates.size(), 2u);
  EXPECT_EQ(log.updates[0].uuid(), std::string(kUuidBytes, 'b'));
  EXPECT_EQ(log.updates[1].uuid(), std::string(kUuidBytes, 'a'));
  EXPECT_THAT(log.acks, ElementsAre(std::string(kUuidBytes, 'b')));
  EXPECT_THAT(log.end.damage, IsOk());
  EXPECT_FALSE(log.end.torn);
}

TEST(UpdateLogTest, ARecordWithoutATypeIsDamage) {
  wire::StatusUpdateRecord record = Update('b');
  record.clear_type();
  ExpectDamage(record, "type");
}

TEST(UpdateLogTest, AnUpdateRecordWithoutAnUpdateIsDamage) {
  wire::StatusUpdateRecord record = Update('b');
  record.clear_update();
  ExpectDamage(record, "without its update");
}

TEST(UpdateLogTest, AnUpdateThatLacksWhatEveryReleaseWritesIsDamage) {
  wire::StatusUpdateRecord record = Update('b');
  record.mutable_update()->mutable_status()->clear_state();
  ExpectDamage(record, "update.status.state");
}

TEST(UpdateLogTest, AUuidOfAnotherLengthIsDamage) {
  for (const size_t size : {0u, 1u, 15u, 17u, 36u}) {
    wire::StatusUpdateRecord update = Update('b');
    update.mutable_update()->set_uuid(std::string(size, 'b'));
    ExpectDamage(update, "uuid");
    wire::StatusUpdateRecord ack = Ack('b');
    ack.set_uuid(std::string(size, 'b'));
    ExpectDamage(ack, "uuid");
  }
}

TEST(UpdateLogTest, AStateThatIsNewerThanWeAreIsKept) {
  std::string state_99;
  state_99.append("\x10\x63");
  wire::StatusUpdateRecord record = Update('b');
  wire::TaskStatus& status = *record.mutable_update()->mutable_status();
  status.clear_state();
  ASSERT_TRUE(status.MergeFromString(state_99));
  const UpdateLog log = ReadUpdateLog(Bytes(record), kMax);
  EXPECT_THAT(log.end.damage, IsOk());
  ASSERT_EQ(log.updates.size(), 1u);
  EXPECT_EQ(log.updates[0].SerializeAsString(),
            record.update().SerializeAsString());
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer

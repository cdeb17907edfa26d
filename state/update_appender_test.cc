// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/update_appender_testing.h"

#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "external_containerizer/state/file_system.h"
#include "external_containerizer/state/model_file_system_testing.h"
#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/state/update_log.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/record_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

using ::testing::SizeIs;

constexpr size_t kMax = 1 << 20;
const std::string kUuid(16, 'u');

wire::StatusUpdate Update() {
  wire::StatusUpdate update;
  update.mutable_framework_id()->set_value("F");
  update.mutable_status()->mutable_task_id()->set_value("T");
  update.mutable_status()->set_state(wire::TASK_RUNNING);
  update.set_timestamp(1);
  update.set_uuid(kUuid);
  return update;
}

class UpdateAppenderTest : public ::testing::Test {
 protected:
  UpdateAppenderTest() {
    files_ = std::move(*OpenFileSystem(directory_.path()));
    EXPECT_THAT(files_->MakeDirectory("T"), IsOk());
  }

  absl::StatusOr<UpdateAppender> Open(Repair repair = Repair::kTorn) {
    return UpdateAppender::Open(*files_, "T/task.updates", repair);
  }
  std::string Path() { return directory_ / "T/task.updates"; }
  std::string Bytes() { return ReadFile(Path()); }

  // One update and one acknowledgement.
  std::string WriteTwo() {
    auto appender = Open();
    EXPECT_THAT(appender.status(), IsOk());
    EXPECT_THAT(appender->AppendUpdate(Update()), IsOk());
    EXPECT_THAT(appender->AppendAck(kUuid), IsOk());
    return Bytes();
  }

  TemporaryDirectory directory_;
  std::unique_ptr<FileSystem> files_;
};

TEST_F(UpdateAppenderTest, WhatIsAppendedIsReadAndAppendedTo) {
  WriteTwo();
  WriteTwo();
  const UpdateLog log = ReadUpdateLog(Bytes(), kMax);
  EXPECT_THAT(log.updates, SizeIs(2));
  EXPECT_THAT(log.acks, SizeIs(1));
  EXPECT_EQ(log.end.good_bytes, Bytes().size());
}

TEST_F(UpdateAppenderTest, ATornTailIsCutOffWhereverItIsTorn) {
  const std::string two = WriteTwo();
  const size_t first = two.size() - EncodeRecord(std::string(20, 'x')).size();
  for (size_t size = first + 1; size < two.size(); ++size) {
    WriteFile(Path(), two.substr(0, size));
    auto appender = Open();
    ASSERT_THAT(appender.status(), IsOk()) << size;
    EXPECT_EQ(appender->cut_off_bytes(), size - first);
    ASSERT_THAT(appender->AppendAck(kUuid), IsOk());
    EXPECT_EQ(Bytes(), two);
  }
}

TEST_F(UpdateAppenderTest, DamageIsOnlyCutOffIfThatIsWanted) {
  const std::string two = WriteTwo();
  const std::string damaged = two + EncodeRecord("garbage") + two;
  WriteFile(Path(), damaged);
  EXPECT_THAT(Open().status(), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(Bytes(), damaged);
  auto appender = Open(Repair::kDamage);
  ASSERT_THAT(appender.status(), IsOk());
  EXPECT_EQ(Bytes(), two);
}

TEST_F(UpdateAppenderTest, ABadRecordIsRefused) {
  auto appender = Open();
  ASSERT_THAT(appender.status(), IsOk());
  const auto invalid = StatusIs(absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(appender->AppendAck("short"), invalid);
  EXPECT_THAT(appender->AppendUpdate(wire::StatusUpdate()), invalid);
  EXPECT_EQ(Bytes(), "");
  EXPECT_THAT(appender->AppendAck(kUuid), IsOk());
}

TEST_F(UpdateAppenderTest, ALinkOrAFifoIsNoFileToAppendTo) {
  ASSERT_EQ(symlink("/etc/passwd", Path().c_str()), 0);
  EXPECT_FALSE(Open().ok());
  ASSERT_EQ(unlink(Path().c_str()), 0);
  ASSERT_EQ(mkfifo(Path().c_str(), 0600), 0);
  EXPECT_FALSE(Open().ok());
}

TEST(UpdateAppenderFailureTest, AFailedAppendIsUndoneAndTheNextOneWorks) {
  ModelFileSystem files;
  auto appender = UpdateAppender::Open(files, "task.updates");
  ASSERT_THAT(appender.status(), IsOk());
  ASSERT_THAT(appender->AppendAck(kUuid), IsOk());
  const Image before = files.Now();
  files.Fail(files.operations(), absl::ResourceExhaustedError("full"));
  EXPECT_THAT(appender->AppendAck(kUuid),
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(files.Now(), before);
  EXPECT_THAT(appender->AppendAck(kUuid), IsOk());
}

TEST(UpdateAppenderFailureTest, AfterAFailedSyncNothingIsAppendedAnyMore) {
  ModelFileSystem files;
  auto appender = UpdateAppender::Open(files, "task.updates");
  ASSERT_THAT(appender.status(), IsOk());
  files.Fail(files.operations() + 1, absl::UnknownError("EIO"));
  EXPECT_THAT(appender->AppendAck(kUuid), StatusIs(absl::StatusCode::kUnknown));
  EXPECT_THAT(appender->AppendAck(kUuid),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  auto again = UpdateAppender::Open(files, "task.updates");
  ASSERT_THAT(again.status(), IsOk());
  EXPECT_THAT(again->AppendAck(kUuid), IsOk());
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_records.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

LaunchRecord SomeLaunch() {
  LaunchRecord launch;
  launch.supervisor = {100, 5000};
  launch.task = {101, 5001};
  launch.boot_id = "11111111-2222-3333-4444-555555555555";
  launch.token = "00ff";
  return launch;
}

EndRecord SomeEnd() {
  EndRecord end;
  end.wait_status = 3 << 8;
  end.destroyed = true;
  end.complete = true;
  end.user_microseconds = 1234567;
  end.system_microseconds = 89;
  end.max_rss_bytes = uint64_t{5} << 33;
  return end;
}

TEST(ContainerRecordsTest, WhatIsWrittenIsRead) {
  const ContainerRecords records =
      ParseRecords(RecordLine(SomeLaunch()) + RecordLine(SomeEnd()));
  ASSERT_TRUE(records.launch.has_value());
  EXPECT_TRUE(records.launch->supervisor == SomeLaunch().supervisor);
  EXPECT_TRUE(records.launch->task == SomeLaunch().task);
  EXPECT_EQ(records.launch->boot_id, SomeLaunch().boot_id);
  EXPECT_EQ(records.launch->token, "00ff");
  ASSERT_TRUE(records.end.has_value());
  EXPECT_EQ(records.end->wait_status, 3 << 8);
  EXPECT_TRUE(records.end->destroyed);
  EXPECT_TRUE(records.end->complete);
  EXPECT_EQ(records.end->user_microseconds, 1234567u);
  EXPECT_EQ(records.end->system_microseconds, 89u);
  EXPECT_EQ(records.end->max_rss_bytes, uint64_t{5} << 33);
}

TEST(ContainerRecordsTest, WhatTheCgroupsCountedIsRead) {
  EndRecord end = SomeEnd();
  end.memory.kills = 2;
  end.memory.at_limit = true;
  end.memory.peak_bytes = 3;
  end.memory.limit_bytes = 4;
  end.periods = 5;
  end.throttled_periods = 6;
  end.throttled_microseconds = 7;
  const EndRecord read = ParseRecords(RecordLine(end)).end.value();
  EXPECT_EQ(read.memory.kills, 2u);
  EXPECT_TRUE(read.memory.at_limit);
  EXPECT_EQ(read.memory.peak_bytes, 3u);
  EXPECT_EQ(read.memory.limit_bytes, 4u);
  EXPECT_EQ(read.periods, 5u);
  EXPECT_EQ(read.throttled_periods, 6u);
  EXPECT_EQ(read.throttled_microseconds, 7u);
}

TEST(ContainerRecordsTest, CgroupsAreReadWhateverTheirPaths) {
  const ContainerCgroups cgroups = {
      {true, {}, "/sys/fs/cgroup/unified/posix-1"},
      {false, {"cpu", "cpuacct"}, "/my cgroups/100%/a\nb\\\xff"},
      {false, {"memory"}, "/%41"}};
  EXPECT_EQ(ParseRecords(RecordLines(cgroups)).cgroups, cgroups);
  // What turned out not to be there.
  ContainerCgroups made = cgroups;
  made[1].controllers.clear();
  const ContainerRecords records = ParseRecords(
      RecordLines(cgroups) + RecordLines(made) + RecordLine(SomeLaunch()));
  EXPECT_EQ(records.cgroups, made);
  EXPECT_TRUE(records.launch.has_value());
  EXPECT_EQ(RecordLines({}), "");
}

TEST(ContainerRecordsTest, AFileCutAnywhereSaysTheOldOrTheNew) {
  const std::string launch = RecordLine(SomeLaunch());
  const std::string both = launch + RecordLine(SomeEnd());
  for (size_t size = 0; size <= both.size(); ++size) {
    const ContainerRecords records = ParseRecords(both.substr(0, size));
    EXPECT_EQ(records.launch.has_value(), size >= launch.size()) << size;
    EXPECT_EQ(records.end.has_value(), size == both.size()) << size;
  }
}

TEST(ContainerRecordsTest, ARecordAfterAHalfWrittenOneIsRead) {
  const std::string end = RecordLine(SomeEnd());
  for (size_t size = 0; size <= end.size(); ++size) {
    EndRecord second = SomeEnd();
    second.wait_status = 9;
    const ContainerRecords records =
        ParseRecords(end.substr(0, size) + RecordLine(second));
    ASSERT_TRUE(records.end.has_value()) << size;
    EXPECT_EQ(records.end->wait_status, 9) << size;
  }
}

TEST(ContainerRecordsTest, NoFlippedBitIsBelieved) {
  const std::string good = RecordLine(SomeEnd());
  for (size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      const ContainerRecords records = ParseRecords(bad);
      // The newline before a record only separates.
      if (i == 0) continue;
      EXPECT_FALSE(records.end.has_value()) << i << " " << bit;
    }
  }
}

TEST(ContainerRecordsTest, TheLastEndCounts) {
  EndRecord first = SomeEnd();
  first.complete = false;
  const ContainerRecords records =
      ParseRecords(RecordLine(first) + RecordLine(SomeEnd()));
  ASSERT_TRUE(records.end.has_value());
  EXPECT_TRUE(records.end->complete);
}

TEST(ContainerRecordsTest, AnUnlinkedFileStillTells) {
  std::string path = ::testing::TempDir() + "/records_XXXXXX";
  const int fd = mkostemp(path.data(), O_CLOEXEC | O_APPEND);
  ASSERT_GE(fd, 0);
  const int reader = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  EXPECT_FALSE(ReadRecords(reader)->launch.has_value());
  ASSERT_TRUE(AppendRecord(fd, RecordLine(SomeLaunch())));
  ASSERT_EQ(unlink(path.c_str()), 0);
  ASSERT_TRUE(AppendRecord(fd, RecordLine(SomeEnd())));
  EXPECT_TRUE(ReadRecords(reader)->launch.has_value());
  EXPECT_TRUE(ReadRecords(reader)->end.has_value());
  close(fd);
  close(reader);
}

TEST(ContainerRecordsTest, WhatCannotBeReadIsNotTakenForNothing) {
  std::string path = ::testing::TempDir() + "/records_XXXXXX";
  const int fd = mkostemp(path.data(), O_CLOEXEC | O_APPEND);
  ASSERT_GE(fd, 0);
  const int writer = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(writer, 0);
  EXPECT_THAT(ReadRecords(writer),
              StatusIs(absl::StatusCode::kResourceExhausted));
  close(writer);

  auto read = [fd](const std::string& contents) {
    EXPECT_EQ(ftruncate(fd, 0), 0);
    EXPECT_EQ(write(fd, contents.data(), contents.size()),
              static_cast<ssize_t>(contents.size()));
    return ReadRecords(fd);
  };
  std::string launch = RecordLine(SomeLaunch());
  const std::string cgroups =
      RecordLines({{true, {}, "/sys/fs/cgroup/unified/posix-1"}});
  // What a crash leaves of a launch that started nothing.
  for (size_t size = 0; size < cgroups.size(); ++size) {
    EXPECT_THAT(read(cgroups.substr(0, size)), IsOk()) << size;
  }
  launch[5] ^= 1;
  EXPECT_THAT(read(launch), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(read(cgroups + launch), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(read(std::string(launch.size(), '\0')),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(read(launch + RecordLine(SomeLaunch())), IsOk());
  close(fd);
  unlink(path.c_str());
}

TEST(ContainerRecordsTest, AFailedAppendSaysSo) {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  errno = 0;
  EXPECT_FALSE(AppendRecord(full, RecordLine(SomeEnd())));
  EXPECT_EQ(errno, ENOSPC);
  close(full);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_records.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/posix/records.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/process_identity.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

PlanRecord SomePlan() {
  PlanRecord plan;
  plan.boot_id = "11111111-2222-3333-4444-555555555555";
  plan.pid_namespace = 4026531836;
  plan.token = "00ff";
  return plan;
}

std::string SomeStart() {
  ProcStat supervisor, task;
  supervisor.pid = 100;
  supervisor.start_ticks = 5000;
  task.pid = 101;
  task.start_ticks = uint64_t{5} << 33;
  return EncodeStart(supervisor, task);
}

std::string SomeLaunch() { return EncodePlan(SomePlan()) + SomeStart(); }

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
  const absl::StatusOr<ContainerRecords> records =
      ParseRecords(SomeLaunch() + EncodeEnd(SomeEnd()));
  ASSERT_THAT(records, IsOk());
  ASSERT_TRUE(records->launch.has_value());
  EXPECT_EQ(records->launch->supervisor.pid, 100);
  EXPECT_EQ(records->launch->supervisor.start_ticks, 5000u);
  EXPECT_EQ(records->launch->task.pid, 101);
  EXPECT_EQ(records->launch->task.start_ticks, uint64_t{5} << 33);
  for (const ProcessIdentity& id :
       {records->launch->supervisor, records->launch->task}) {
    EXPECT_EQ(id.boot_id, SomePlan().boot_id);
    EXPECT_EQ(id.pid_namespace, 4026531836u);
  }
  EXPECT_EQ(records->launch->token, "00ff");
  ASSERT_TRUE(records->end.has_value());
  EXPECT_EQ(records->end->wait_status, 3 << 8);
  EXPECT_TRUE(records->end->destroyed);
  EXPECT_TRUE(records->end->complete);
  EXPECT_EQ(records->end->user_microseconds, 1234567u);
  EXPECT_EQ(records->end->system_microseconds, 89u);
  EXPECT_EQ(records->end->max_rss_bytes, uint64_t{5} << 33);
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
  const EndRecord read = ParseRecords(EncodeEnd(end))->end.value();
  EXPECT_EQ(read.memory.kills, 2u);
  EXPECT_TRUE(read.memory.at_limit);
  EXPECT_EQ(read.memory.peak_bytes, 3u);
  EXPECT_EQ(read.memory.limit_bytes, 4u);
  EXPECT_EQ(read.periods, 5u);
  EXPECT_EQ(read.throttled_periods, 6u);
  EXPECT_EQ(read.throttled_microseconds, 7u);
}

TEST(ContainerRecordsTest, TheLastPlansCgroupsAreReadWhateverTheirPaths) {
  PlanRecord plan = SomePlan();
  plan.cgroups = {{true, {}, "/sys/fs/cgroup/unified/posix-1"},
                  {false, {"cpu", "cpuacct"}, "/my cgroups/100%/a\nb\\\xff"},
                  {false, {"memory"}, "/%41"}};
  EXPECT_EQ(ParseRecords(EncodePlan(plan))->cgroups, plan.cgroups);
  // What could not be made is in it no more.
  PlanRecord made = plan;
  made.cgroups.pop_back();
  const absl::StatusOr<ContainerRecords> records =
      ParseRecords(EncodePlan(plan) + EncodePlan(made) + SomeStart());
  EXPECT_EQ(records->cgroups, made.cgroups);
  EXPECT_TRUE(records->launch.has_value());
}

TEST(ContainerRecordsTest, AFileCutAnywhereSaysTheOldOrTheNew) {
  const std::string launch = SomeLaunch();
  const std::string both = launch + EncodeEnd(SomeEnd());
  for (size_t size = 0; size <= both.size(); ++size) {
    const absl::StatusOr<ContainerRecords> records =
        ParseRecords(both.substr(0, size));
    ASSERT_THAT(records, IsOk()) << size;
    EXPECT_EQ(records->launch.has_value(), size >= launch.size()) << size;
    EXPECT_EQ(records->end.has_value(), size == both.size()) << size;
  }
}

TEST(ContainerRecordsTest, ARecordAfterADamagedOneIsRead) {
  const std::string launch = SomeLaunch();
  const std::string end = EncodeEnd(SomeEnd());
  // Its length, the first four bytes, is what finds the next.
  for (size_t i = 4; i < EncodePlan(SomePlan()).size(); ++i) {
    std::string bad = launch + end;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    const absl::StatusOr<ContainerRecords> records = ParseRecords(bad);
    ASSERT_THAT(records, IsOk()) << i;
    EXPECT_FALSE(records->launch.has_value()) << i;
    EXPECT_TRUE(records->end.has_value()) << i;
  }
}

TEST(ContainerRecordsTest, NoFlippedBitIsBelieved) {
  const std::string good = EncodeEnd(SomeEnd());
  for (size_t i = 0; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      const absl::StatusOr<ContainerRecords> records = ParseRecords(bad);
      EXPECT_FALSE(records.ok() && records->end.has_value()) << i << " " << bit;
    }
  }
}

TEST(ContainerRecordsTest, TheLastEndCounts) {
  EndRecord first = SomeEnd();
  first.complete = false;
  const absl::StatusOr<ContainerRecords> records =
      ParseRecords(EncodeEnd(first) + EncodeEnd(SomeEnd()));
  ASSERT_TRUE(records->end.has_value());
  EXPECT_TRUE(records->end->complete);
}

TEST(ContainerRecordsTest, ANewerVersionIsRefusedByItsNumber) {
  ContainerRecord record;
  record.mutable_plan()->set_version(kRecordVersion + 1);
  EXPECT_THAT(
      ParseRecords(FramedRecord(record.SerializeAsString())),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr(absl::StrCat("version ", kRecordVersion + 1)),
                     HasSubstr("newer posix"))));
}

// An empty file that is open for appending, and has no name.
UniqueFd EmptyFile() {
  std::string path = ::testing::TempDir() + "/records_XXXXXX";
  UniqueFd fd(mkostemp(path.data(), O_CLOEXEC | O_APPEND));
  EXPECT_TRUE(fd.valid());
  unlink(path.c_str());
  return fd;
}

TEST(ContainerRecordsTest, HalfARecordIsNotLeftBehind) {
  const UniqueFd file = EmptyFile();
  ASSERT_TRUE(AppendRecord(file.get(), SomeLaunch()));
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlim_t size = SomeLaunch().size() + 9;
    const rlimit limit = {size, size};
    setrlimit(RLIMIT_FSIZE, &limit);
    const bool appended = AppendRecord(file.get(), EncodeEnd(SomeEnd()));
    _exit(!appended && errno == ENOSPC ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ASSERT_TRUE(AppendRecord(file.get(), EncodeEnd(SomeEnd())));
  EXPECT_TRUE(ReadRecords(file.get())->end.has_value());
}

TEST(ContainerRecordsTest, OfAnotherPidNamespaceOnlyWhatHasEndedIsSaidToHave) {
  const UniqueFd file = EmptyFile();
  PlanRecord plan = SomePlan();
  plan.boot_id = BootId();
  plan.pid_namespace = 1;
  ASSERT_TRUE(AppendRecord(file.get(), EncodePlan(plan) + SomeStart()));
  // Whoever reads it has opened it, as other processes do.
  const UniqueFd reader(open(absl::StrCat("/proc/self/fd/", file.get()).c_str(),
                             O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(HoldAsSupervisor(file.get()));
  EXPECT_EQ(ReadRecords(reader.get())->launch->supervisor.pid, 100);
  EXPECT_EQ(ReadRecords(reader.get())->launch->task.pid_namespace, 1u);
  // The supervisor's end.
  struct flock unlock = {};
  unlock.l_type = F_UNLCK;
  unlock.l_len = 1;
  ASSERT_EQ(fcntl(file.get(), F_OFD_SETLK, &unlock), 0);
  const LaunchRecord launch = ReadRecords(reader.get())->launch.value();
  EXPECT_EQ(launch.supervisor.pid, 0);
  EXPECT_EQ(launch.task.pid, 0);
  EXPECT_THAT(CanBeSeen(launch.task), IsOk());
  EXPECT_EQ(launch.token, "00ff");
}

TEST(ContainerRecordsTest, AnUnlinkedFileStillTells) {
  std::string path = ::testing::TempDir() + "/records_XXXXXX";
  const UniqueFd fd(mkostemp(path.data(), O_CLOEXEC | O_APPEND));
  const UniqueFd reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(fd.valid() && reader.valid());
  EXPECT_FALSE(ReadRecords(reader.get())->launch.has_value());
  ASSERT_TRUE(AppendRecord(fd.get(), SomeLaunch()));
  ASSERT_EQ(unlink(path.c_str()), 0);
  ASSERT_TRUE(AppendRecord(fd.get(), EncodeEnd(SomeEnd())));
  EXPECT_TRUE(ReadRecords(reader.get())->launch.has_value());
  EXPECT_TRUE(ReadRecords(reader.get())->end.has_value());
}

TEST(ContainerRecordsTest, WhatCannotBeReadIsNotTakenForNothing) {
  const UniqueFd writer(open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_THAT(ReadRecords(writer.get()),
              StatusIs(absl::StatusCode::kResourceExhausted));
  const auto lost = StatusIs(absl::StatusCode::kDataLoss);
  const std::string plan = EncodePlan(SomePlan());
  // What a crash leaves of a launch that started nothing.
  for (size_t size = 0; size < plan.size(); ++size) {
    EXPECT_THAT(ParseRecords(plan.substr(0, size)), IsOk()) << size;
  }
  std::string start = SomeStart();
  start[15] = static_cast<char>(start[15] ^ 1);
  EXPECT_THAT(ParseRecords(plan + start), lost);
  EXPECT_THAT(ParseRecords(SomeStart()), lost);
  EXPECT_THAT(ParseRecords(std::string(plan.size(), '\0')), lost);
  EXPECT_THAT(ParseRecords(std::string(plan.size(), 'x')), lost);
  EXPECT_THAT(ParseRecords(start + SomeLaunch()), IsOk());
}

TEST(ContainerRecordsTest, AFailedAppendSaysSo) {
  const UniqueFd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.valid());
  errno = 0;
  EXPECT_FALSE(AppendRecord(full.get(), EncodeEnd(SomeEnd())));
  EXPECT_EQ(errno, ENOSPC);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

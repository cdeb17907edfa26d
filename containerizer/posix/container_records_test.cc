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
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/posix/records.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/process_identity.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kSomeBoot[] = "11111111-2222-3333-4444-555555555555";

ContainerRecord SomePlan() {
  ContainerRecord record;
  LaunchPlan& plan = *record.mutable_plan();
  plan.set_version(kRecordVersion);
  plan.set_boot_id(kSomeBoot);
  plan.set_pid_namespace(4026531836);
  plan.set_token("00ff");
  return record;
}

ContainerRecord SomeStart() {
  ContainerRecord record;
  TaskStart& start = *record.mutable_start();
  start.set_supervisor_pid(100);
  start.set_supervisor_start_ticks(5000);
  start.set_task_pid(101);
  start.set_task_start_ticks(uint64_t{5} << 33);
  return record;
}

ContainerRecord SomeEnd() {
  ContainerRecord record;
  TaskEnd& end = *record.mutable_end();
  end.set_wait_status(3 << 8);
  end.set_destroyed(1);
  end.set_complete(1);
  end.set_user_microseconds(1234567);
  end.set_system_microseconds(89);
  end.set_max_rss_bytes(uint64_t{5} << 33);
  return record;
}

std::string Encode(const ContainerRecord& record) {
  return FramedRecord(record.SerializeAsString());
}

std::string SomeLaunch() { return Encode(SomePlan()) + Encode(SomeStart()); }

TEST(ContainerRecordsTest, WhatIsWrittenIsRead) {
  const absl::StatusOr<ContainerRecords> records =
      ParseRecords(SomeLaunch() + Encode(SomeEnd()));
  ASSERT_THAT(records, IsOk());
  ASSERT_TRUE(records->launch.has_value());
  EXPECT_EQ(records->launch->supervisor.pid, 100);
  EXPECT_EQ(records->launch->supervisor.start_ticks, 5000u);
  EXPECT_EQ(records->launch->task.pid, 101);
  EXPECT_EQ(records->launch->task.start_ticks, uint64_t{5} << 33);
  for (const ProcessIdentity& id :
       {records->launch->supervisor, records->launch->task}) {
    EXPECT_EQ(id.boot_id, kSomeBoot);
    EXPECT_EQ(id.pid_namespace, 4026531836u);
  }
  EXPECT_EQ(records->launch->token, "00ff");
  ASSERT_TRUE(records->end.has_value());
  EXPECT_EQ(records->end->wait_status(), 3u << 8);
  EXPECT_EQ(records->end->destroyed(), 1u);
  EXPECT_EQ(records->end->complete(), 1u);
  EXPECT_EQ(records->end->user_microseconds(), 1234567u);
  EXPECT_EQ(records->end->system_microseconds(), 89u);
  EXPECT_EQ(records->end->max_rss_bytes(), uint64_t{5} << 33);
}

TEST(ContainerRecordsTest, WhatTheCgroupsCountedIsRead) {
  ContainerRecord record = SomeEnd();
  TaskEnd& end = *record.mutable_end();
  end.set_memory_kills(2);
  end.set_memory_at_limit(1);
  end.set_memory_peak_bytes(3);
  end.set_memory_limit_bytes(4);
  end.set_periods(5);
  end.set_throttled_periods(6);
  end.set_throttled_microseconds(7);
  EXPECT_EQ(ParseRecords(Encode(record))->end.value().SerializeAsString(),
            end.SerializeAsString());
}

TEST(ContainerRecordsTest, TheLastPlansCgroupsAreReadWhateverTheirPaths) {
  ContainerRecord plan = SomePlan();
  auto add = [&plan](bool unified, const std::vector<std::string>& controllers,
                     const std::string& path) {
    ContainerCgroup& cgroup = *plan.mutable_plan()->add_cgroups();
    cgroup.set_unified(unified);
    for (const std::string& one : controllers) cgroup.add_controllers(one);
    cgroup.set_path(path);
  };
  add(true, {}, "/sys/fs/cgroup/unified/posix-1");
  add(false, {"cpu", "cpuacct"}, "/my cgroups/100%/a\nb\\\xff");
  add(false, {"memory"}, "/%41");
  const std::string wanted = Encode(plan);
  const ContainerCgroups read = ParseRecords(wanted)->cgroups;
  ASSERT_EQ(read.size(), 3u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(read[static_cast<size_t>(i)].SerializeAsString(),
              plan.plan().cgroups(i).SerializeAsString());
  }
  // The second plan lacks the cgroup that could not be made.
  plan.mutable_plan()->mutable_cgroups()->RemoveLast();
  const absl::StatusOr<ContainerRecords> records =
      ParseRecords(wanted + Encode(plan) + Encode(SomeStart()));
  EXPECT_EQ(records->cgroups.size(), 2u);
  EXPECT_TRUE(records->launch.has_value());
}

TEST(ContainerRecordsTest, AFileCutAnywhereSaysTheOldOrTheNew) {
  const std::string launch = SomeLaunch();
  const std::string both = launch + Encode(SomeEnd());
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
  const std::string end = Encode(SomeEnd());
  // The first four bytes are its length, which leads to the next record.
  for (size_t i = 4; i < Encode(SomePlan()).size(); ++i) {
    std::string bad = launch + end;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    const absl::StatusOr<ContainerRecords> records = ParseRecords(bad);
    ASSERT_THAT(records, IsOk()) << i;
    EXPECT_FALSE(records->launch.has_value()) << i;
    EXPECT_TRUE(records->end.has_value()) << i;
  }
}

TEST(ContainerRecordsTest, NoFlippedBitIsBelieved) {
  const std::string good = Encode(SomeEnd());
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
  ContainerRecord first = SomeEnd();
  first.mutable_end()->set_complete(0);
  const absl::StatusOr<ContainerRecords> records =
      ParseRecords(Encode(first) + Encode(SomeEnd()));
  ASSERT_TRUE(records->end.has_value());
  EXPECT_EQ(records->end->complete(), 1u);
}

TEST(ContainerRecordsTest, ANewerVersionIsRefusedByItsNumber) {
  ContainerRecord record;
  record.mutable_plan()->set_version(kRecordVersion + 1);
  EXPECT_THAT(
      ParseRecords(Encode(record)),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr(absl::StrCat("version ", kRecordVersion + 1)),
                     HasSubstr("newer posix"))));
}

// Makes an empty file that is open for appending and has no name.
UniqueFd EmptyFile() {
  std::string path = ::testing::TempDir() + "/records_XXXXXX";
  UniqueFd fd(mkostemp(path.data(), O_CLOEXEC | O_APPEND));
  EXPECT_TRUE(fd.valid());
  unlink(path.c_str());
  return fd;
}

TEST(ContainerRecordsTest, HalfARecordIsNotLeftBehind) {
  const UniqueFd file = EmptyFile();
  ASSERT_TRUE(AppendRecord(file.get(), SomePlan()));
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlim_t size = Encode(SomePlan()).size() + 9;
    const rlimit limit = {size, size};
    setrlimit(RLIMIT_FSIZE, &limit);
    const bool appended = AppendRecord(file.get(), SomeEnd());
    _exit(!appended && errno == ENOSPC ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ASSERT_TRUE(AppendRecord(file.get(), SomeEnd()));
  EXPECT_TRUE(ReadRecords(file.get())->end.has_value());
}

TEST(ContainerRecordsTest, OfAnotherPidNamespaceOnlyWhatHasEndedIsSaidToHave) {
  const UniqueFd file = EmptyFile();
  ContainerRecord record = SomePlan();
  record.mutable_plan()->set_boot_id(BootId());
  record.mutable_plan()->set_pid_namespace(1);
  ASSERT_TRUE(AppendRecord(file.get(), record));
  ASSERT_TRUE(AppendRecord(file.get(), SomeStart()));
  // Another process would read it by a descriptor of its own.
  const UniqueFd reader(open(absl::StrCat("/proc/self/fd/", file.get()).c_str(),
                             O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(HoldAsSupervisor(file.get()));
  EXPECT_EQ(ReadRecords(reader.get())->launch->supervisor.pid, 100);
  EXPECT_EQ(ReadRecords(reader.get())->launch->task.pid_namespace, 1u);
  // The lock goes as it does when the supervisor ends.
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
  ASSERT_TRUE(AppendRecord(fd.get(), SomePlan()));
  ASSERT_TRUE(AppendRecord(fd.get(), SomeStart()));
  ASSERT_EQ(unlink(path.c_str()), 0);
  ASSERT_TRUE(AppendRecord(fd.get(), SomeEnd()));
  EXPECT_TRUE(ReadRecords(reader.get())->launch.has_value());
  EXPECT_TRUE(ReadRecords(reader.get())->end.has_value());
}

TEST(ContainerRecordsTest, WhatCannotBeReadIsNotTakenForNothing) {
  const UniqueFd writer(open("/dev/null", O_WRONLY | O_CLOEXEC));
  EXPECT_THAT(ReadRecords(writer.get()),
              StatusIs(absl::StatusCode::kResourceExhausted));
  const auto lost = StatusIs(absl::StatusCode::kDataLoss);
  const std::string plan = Encode(SomePlan());
  // A crash may leave any part of the plan, and nothing was started.
  for (size_t size = 0; size < plan.size(); ++size) {
    EXPECT_THAT(ParseRecords(plan.substr(0, size)), IsOk()) << size;
  }
  std::string start = Encode(SomeStart());
  start[15] = static_cast<char>(start[15] ^ 1);
  EXPECT_THAT(ParseRecords(plan + start), lost);
  EXPECT_THAT(ParseRecords(Encode(SomeStart())), lost);
  EXPECT_THAT(ParseRecords(std::string(plan.size(), '\0')), lost);
  EXPECT_THAT(ParseRecords(std::string(plan.size(), 'x')), lost);
  EXPECT_THAT(ParseRecords(start + SomeLaunch()), IsOk());
}

TEST(ContainerRecordsTest, AFailedAppendSaysSo) {
  const UniqueFd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.valid());
  errno = 0;
  EXPECT_FALSE(AppendRecord(full.get(), SomeEnd()));
  EXPECT_EQ(errno, ENOSPC);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

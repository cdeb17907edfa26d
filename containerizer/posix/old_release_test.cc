// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The files in testdata/old_release were left by the binary of the first
// release.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/old_records.h"
#include "external_containerizer/containerizer/posix/posix_testing.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/linux/checksum.h"
#include "external_containerizer/transport/linux/process_identity.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

std::string OldFile(const std::string& name) {
  const std::string contents = ReadFile(
      TestDataPath("containerizer/posix/testdata/old_release/" + name));
  EXPECT_FALSE(contents.empty()) << name;
  return contents;
}

// Returns a line as that release wrote it.
std::string Line(const std::string& text) {
  return absl::StrCat("\n", text, " ",
                      absl::Hex(Checksum(text), absl::kZeroPad16), "\n");
}

TEST(OldRecordsTest, AllThatAFileSaysIsRead) {
  ContainerRecords records;
  ASSERT_TRUE(IsOldFile(OldFile("containers/ended")));
  EXPECT_TRUE(ParseOldFile(OldFile("containers/ended"), records));
  ASSERT_THAT(records.cgroups, SizeIs(3));
  EXPECT_TRUE(records.cgroups[0].unified());
  EXPECT_THAT(records.cgroups[0].controllers(), IsEmpty());
  EXPECT_FALSE(records.cgroups[2].unified());
  EXPECT_THAT(records.cgroups[2].controllers(), ElementsAre("cpu"));
  ASSERT_TRUE(records.launch.has_value());
  EXPECT_EQ(records.launch->supervisor.pid + 1, records.launch->task.pid);
  EXPECT_EQ(records.launch->task.boot_id.size(), 36u);
  EXPECT_EQ(records.launch->task.pid_namespace, 0u);
  ASSERT_TRUE(records.end.has_value());
  EXPECT_EQ(records.end->wait_status(), 3u << 8);
  EXPECT_EQ(records.end->complete(), 1u);
  EXPECT_EQ(records.end->destroyed(), 0u);
  EXPECT_EQ(records.end->memory_limit_bytes(), uint64_t{64} << 20);
  const Limits limits = ParseOldLimits(OldFile("limits/ended"));
  EXPECT_EQ(limits.cpus(), 0.5);
  EXPECT_EQ(limits.mem_mib(), 64);
}

TEST(OldRecordsTest, PathsAreUnescaped) {
  ContainerRecords records;
  EXPECT_TRUE(ParseOldFile(
      Line("cgroup 1 cpu,cpuacct /my%20cgroups/100%25/a%0ab%ff"), records));
  ASSERT_THAT(records.cgroups, SizeIs(1));
  EXPECT_EQ(records.cgroups[0].path(), "/my cgroups/100%/a\nb\xff");
}

TEST(OldRecordsTest, OfOneCgroupTheLastLineCounts) {
  ContainerRecords records;
  EXPECT_TRUE(
      ParseOldFile(Line("cgroup 1 cpu /c") + Line("cgroup 1 - /c"), records));
  ASSERT_THAT(records.cgroups, SizeIs(1));
  EXPECT_THAT(records.cgroups[0].controllers(), IsEmpty());
}

TEST(OldRecordsTest, AFileCutAnywhereSaysTheOldOrTheNew) {
  const std::string file = OldFile("containers/ended");
  const size_t launched = file.find('\n', file.find("launched")) + 1;
  for (size_t size = 1; size <= file.size(); ++size) {
    ContainerRecords records;
    EXPECT_TRUE(ParseOldFile(file.substr(0, size), records)) << size;
    EXPECT_EQ(records.launch.has_value(), size >= launched) << size;
    EXPECT_EQ(records.end.has_value(), size == file.size()) << size;
  }
}

TEST(OldRecordsTest, NoFlippedBitIsBelieved) {
  const std::string good = Line("ended 768 0 1 1210 0 2310144");
  for (size_t i = 1; i + 1 < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    ContainerRecords records;
    EXPECT_FALSE(ParseOldFile(bad, records)) << i;
    EXPECT_FALSE(records.end.has_value()) << i;
  }
}

class OldReleaseTest : public PosixTest {
 protected:
  void SetUp() override {
    PosixTest::SetUp();
    EXPECT_THAT(List(), IsEmpty());  // makes the directories
    for (const char* id : {"ended", "running", "destroyed"}) {
      for (const char* kind : {"containers/", "limits/"}) {
        std::ofstream(work_ + "/program/posix/" + kind + id)
            << OldFile(std::string(kind) + id);
      }
    }
  }
};

TEST_F(OldReleaseTest, ItsContainersAreListedWaitedForAndDestroyed) {
  EXPECT_EQ(Command({"recover"}, environment_, "").Finish().status, 0);
  EXPECT_THAT(List(), UnorderedElementsAre("ended", "running", "destroyed"));
  EXPECT_EQ(wire::ExitOf(Wait("ended")), Exited(3));
  EXPECT_EQ(wire::ExitOf(Wait("destroyed")), Signaled(SIGTERM));
  EXPECT_EQ(Wait("destroyed").state(), wire::TASK_KILLED);
  // It ran on another machine, so it is of another boot.
  EXPECT_THAT(Wait("running").message(), HasSubstr("rebooted"));
  const auto usage = Usage("ended");
  ASSERT_TRUE(usage.has_value());
  EXPECT_EQ(usage->cpus_limit(), 0.5);
  EXPECT_EQ(usage->mem_limit_bytes(), uint64_t{64} << 20);
  Update("ended", 1, 0);
  for (const std::string& id : List()) Destroy(id);
  EXPECT_THAT(List(), IsEmpty());
}

TEST_F(OldReleaseTest, ASupervisorThatStillRunsMayWriteTheEnd) {
  // This process is both the supervisor and the task.
  const pid_t child = fork();
  if (child == 0) {
    while (true) pause();
  }
  const ProcessIdentity id = IdentityOf(child).value();
  const std::string file = work_ + "/program/posix/containers/live";
  std::ofstream(file) << Line(
      absl::StrCat("launched ", id.pid, " ", id.start_ticks, " ", id.pid, " ",
                   id.start_ticks, " ", id.boot_id, " 1-2-00ff"));
  const std::unique_ptr<Command> wait = StartWait("live");
  std::ofstream(file, std::ios::app)
      << Line("ended 1280 0 1 5 6 7 0 0 0 0 0 0 0");
  kill(child, SIGKILL);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(wire::ExitOf(Parse(wait->Finish())), Exited(5));
  EXPECT_EQ(wire::ExitOf(Wait("live")), Exited(5));
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

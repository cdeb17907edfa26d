// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// This process is asked for usage again and again. Other processes launch,
// update and destroy the containers.

#include "external_containerizer/containerizer/posix/container_usage.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/posix/posix_testing.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

constexpr char kSleep[] = "exec sleep 1000";
constexpr uint64_t kMiB = 1 << 20;

size_t OpenDescriptors() {
  size_t count = 0;
  DIR* dir = opendir("/proc/self/fd");
  while (readdir(dir) != nullptr) ++count;
  closedir(dir);
  return count;
}

// While it lives.
class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t limit) {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit now = {limit, before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &now), 0);
  }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_;
};

class ContainerUsageTest : public PosixTest {
 protected:
  absl::StatusOr<std::optional<wire::ResourceStatistics>> Read(
      const std::string& id) {
    return usage_.Read(id, {work_});
  }

  // Reads the usage of a container that runs.
  wire::ResourceStatistics ReadRunning(const std::string& id) {
    const auto usage = Read(id);
    EXPECT_THAT(usage, IsOk());
    if (!usage.ok() || !usage->has_value()) {
      ADD_FAILURE() << id << " has no usage";
      return wire::ResourceStatistics();
    }
    return **usage;
  }

  ContainerUsage usage_;
};

TEST_F(ContainerUsageTest, AContainerThatOthersHaveDestroyedIsNotFound) {
  Launch(LaunchOf("c", kSleep));
  EXPECT_GE(ReadRunning("c").processes(), 1u);
  EXPECT_EQ(usage_.kept(), 1u);
  Destroy("c");
  EXPECT_THAT(Read("c"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(usage_.kept(), 0u);
}

// A new file may get the inode number of the removed one.
TEST_F(ContainerUsageTest, AContainerThatOthersHaveLaunchedAnewIsTheNewOne) {
  const bool enforced = WhyNoCgroups().empty();
  const UniqueFd ready = Fifo("ready");
  for (int i = 1; i <= 5; ++i) {
    std::string command;
    for (int j = 1; j < i; ++j) command += "sleep 1000 & ";
    command += "echo > ready; ";
    Launch(LaunchOf("c", command + kSleep, i, 64 + i));
    EXPECT_GE(ReadRunning("c").processes(), 1u);
    ReadLine(ready);
    EXPECT_EQ(ReadRunning("c").processes(), static_cast<uint32_t>(i));
    if (enforced) {
      EXPECT_EQ(ReadRunning("c").cpus_limit(), i);
      EXPECT_EQ(ReadRunning("c").mem_limit_bytes(),
                static_cast<uint64_t>(64 + i) * kMiB);
    }
    EXPECT_EQ(usage_.kept(), 1u);
    Destroy("c");
    // Every other time there is no usage between the two.
    if (i % 2 == 0) {
      EXPECT_THAT(Read("c"), StatusIs(absl::StatusCode::kNotFound));
    }
  }
}

TEST_F(ContainerUsageTest, LimitsThatOthersHaveUpdatedAreSeen) {
  const std::string why = WhyNoCgroups();
  if (!why.empty()) GTEST_SKIP() << "no limits can be enforced here: " << why;
  Launch(LaunchOf("c", kSleep, 1, 64));
  EXPECT_EQ(ReadRunning("c").cpus_limit(), 1);
  for (int i = 2; i <= 6; ++i) {
    Update("c", i, 64 + i);
    const wire::ResourceStatistics usage = ReadRunning("c");
    EXPECT_EQ(usage.cpus_limit(), i);
    EXPECT_EQ(usage.mem_limit_bytes(), static_cast<uint64_t>(64 + i) * kMiB);
  }
  EXPECT_EQ(usage_.kept(), 1u);
}

TEST_F(ContainerUsageTest, ProcessesThatCameAndWentSinceAreSeen) {
  const UniqueFd go = Fifo("go");
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c",
                  "exec 3<>go; for i in 1 2 3; do echo > ready; read line <&3; "
                  "sleep 1000 & done; echo > ready; read line <&3; kill $!; "
                  "wait $!; echo > ready; read line <&3"));
  for (const uint32_t processes : {1u, 2u, 3u, 4u, 3u}) {
    ReadLine(ready);
    const wire::ResourceStatistics usage = ReadRunning("c");
    EXPECT_EQ(usage.processes(), processes);
    EXPECT_EQ(usage.threads(), processes);
    ASSERT_EQ(write(go.get(), "\n", 1), 1);
  }
}

TEST_F(ContainerUsageTest, TheEndOfAContainerIsSeen) {
  const UniqueFd go = Fifo("go");
  Launch(LaunchOf("c", "read line < go; exit 3"));
  EXPECT_EQ(ReadRunning("c").processes(), 1u);
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(3));
  EXPECT_EQ(ReadRunning("c").processes(), 0u);
  EXPECT_GT(ReadRunning("c").mem_rss_bytes(), 0u);
  EXPECT_EQ(usage_.kept(), 0u);
}

TEST_F(ContainerUsageTest, AnotherWorkDirectoryOfTheSameNameIsSeen) {
  Launch(LaunchOf("c", kSleep));
  EXPECT_GE(ReadRunning("c").processes(), 1u);
  const std::string aside = base_ + "/aside";
  ASSERT_EQ(rename(work_.c_str(), aside.c_str()), 0);
  ASSERT_EQ(mkdir(work_.c_str(), 0755), 0);
  EXPECT_THAT(Read("c"), StatusIs(absl::StatusCode::kNotFound));
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c", absl::StrCat("sleep 1000 & echo > ready; ", kSleep)));
  ReadLine(ready);
  EXPECT_EQ(ReadRunning("c").processes(), 2u);
  Destroy("c");
  const std::string command = "rm -r " + work_;
  ASSERT_EQ(system(command.c_str()), 0);
  ASSERT_EQ(rename(aside.c_str(), work_.c_str()), 0);
  EXPECT_EQ(ReadRunning("c").processes(), 1u);
}

TEST_F(ContainerUsageTest, TheSecondUsageOpensNothing) {
  const std::string why = WhyNoCgroups();
  if (!why.empty()) GTEST_SKIP() << "nothing is counted here: " << why;
  Launch(LaunchOf("c", kSleep, 1, 64));
  ReadRunning("c");
  const ContainerCgroups cgroups = Records("c").cgroups;
  if (!cgroups.front().unified()) {
    GTEST_SKIP() << "version 1 lists processes as of when it was opened";
  }
  const DescriptorLimit none(0);
  const wire::ResourceStatistics usage = ReadRunning("c");
  EXPECT_EQ(usage.processes(), 1u);
  EXPECT_EQ(usage.threads(), 1u);
  EXPECT_EQ(usage.cpus_limit(), 1);
  EXPECT_EQ(usage.mem_limit_bytes(), 64 * kMiB);
  EXPECT_GT(usage.mem_total_bytes(), 0u);
  EXPECT_TRUE(usage.has_mem_anon_bytes());
  EXPECT_TRUE(usage.has_cpus_nr_periods());
  EXPECT_TRUE(usage.has_cpus_user_time_secs());
}

TEST_F(ContainerUsageTest, FewDescriptorsKeepFewContainers) {
  constexpr int kContainers = 5;
  for (int i = 0; i < kContainers; ++i) {
    Launch(LaunchOf(absl::StrCat("c", i), kSleep));
  }
  const size_t before = OpenDescriptors();
  {
    const DescriptorLimit few(135);
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < kContainers; ++i) {
        EXPECT_EQ(ReadRunning(absl::StrCat("c", i)).processes(), 1u);
      }
    }
  }
  EXPECT_EQ(usage_.kept(), 2u);
  // A fifth of them, and those of the directories.
  EXPECT_LE(OpenDescriptors(), before + 135 / 5 + 3);
  for (int i = 0; i < kContainers; ++i) {
    usage_.Forget(absl::StrCat("c", i), {work_});
  }
  EXPECT_EQ(usage_.kept(), 0u);
  EXPECT_LE(OpenDescriptors(), before + 3);
}

TEST_F(ContainerUsageTest, ManyThreadsAskWhileOthersDestroyAndLaunch) {
  for (const char* id : {"a", "b"}) Launch(LaunchOf(id, kSleep));
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  std::vector<absl::Status> strange(4);
  for (absl::Status& status : strange) {
    threads.emplace_back([&] {
      while (!done.load()) {
        for (const char* id : {"a", "b"}) {
          const auto usage = Read(id);
          // The container may not exist, or may be half launched.
          const bool absent = absl::IsNotFound(usage.status()) ||
                              absl::IsFailedPrecondition(usage.status());
          if (!usage.ok() && !(absent && id[0] == 'b')) {
            status = usage.status();
          } else if (usage.ok() && id[0] == 'a' &&
                     (!usage->has_value() || (*usage)->processes() != 1)) {
            status = absl::InternalError("a is not what it was");
          }
        }
      }
    });
  }
  for (int i = 0; i < 5; ++i) {
    Destroy("b");
    Launch(LaunchOf("b", kSleep));
  }
  done = true;
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : strange) EXPECT_THAT(status, IsOk());
  EXPECT_EQ(ReadRunning("b").processes(), 1u);
  EXPECT_EQ(usage_.kept(), 2u);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

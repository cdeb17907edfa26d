// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/run_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <optional>
#include <string>
#include <thread>  // NOLINT
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/random_name.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class RunDirectoryTest : public ::testing::Test {
 protected:
  RunDirectoryTest() : work_(::testing::TempDir() + "/" + RandomName()) {}

  std::vector<RunDirectory> Leftovers() {
    return RunDirectory::ClaimLeftovers(work_, 100);
  }

  bool Exists(const std::string& path) {
    return access(path.c_str(), F_OK) == 0;
  }

  // Leaves a directory as a killed run does.
  std::string AbandonOne() {
    auto run = RunDirectory::Create(work_);
    EXPECT_THAT(run, IsOk());
    return run->path();
  }

  std::string work_;
};

TEST_F(RunDirectoryTest, IsOnlyTheUsers) {
  auto run = RunDirectory::Create(work_);
  ASSERT_THAT(run, IsOk());
  EXPECT_EQ(run->path(), work_ + "/run/" + run->name());
  struct stat status;
  ASSERT_EQ(stat(run->path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
}

TEST_F(RunDirectoryTest, RemoveRemovesAllOfIt) {
  auto run = RunDirectory::Create(work_);
  ASSERT_THAT(run, IsOk());
  const std::string path = run->path();
  ASSERT_THAT(MakePath(path + "/a/b"), IsOk());
  EXPECT_THAT((*std::move(run)).Remove(), IsOk());
  EXPECT_FALSE(Exists(path));
  EXPECT_TRUE(Exists(work_ + "/run"));
}

TEST_F(RunDirectoryTest, OneThatLivesIsNoLeftover) {
  const auto first = RunDirectory::Create(work_);
  const auto second = RunDirectory::Create(work_);
  ASSERT_THAT(first, IsOk());
  ASSERT_THAT(second, IsOk());
  EXPECT_NE(first->path(), second->path());
  EXPECT_THAT(Leftovers(), IsEmpty());
}

TEST_F(RunDirectoryTest, AbandonedOneIsClaimedOnce) {
  const std::string path = AbandonOne();
  std::vector<RunDirectory> mine = Leftovers();
  ASSERT_THAT(mine, SizeIs(1));
  EXPECT_EQ(mine[0].path(), path);
  EXPECT_THAT(Leftovers(), IsEmpty());
  EXPECT_THAT(std::move(mine[0]).Remove(), IsOk());
  mine.clear();
  EXPECT_THAT(Leftovers(), IsEmpty());
}

TEST_F(RunDirectoryTest, AbandoningWorksWhileAnotherSharesTheLock) {
  auto run = RunDirectory::Create(work_);
  ASSERT_THAT(run, IsOk());
  const UniqueFd shared(fcntl(run->fd(), F_DUPFD_CLOEXEC, 0));
  EXPECT_THAT(Leftovers(), IsEmpty());
  run->Abandon();
  EXPECT_THAT(Leftovers(), SizeIs(1));
}

TEST_F(RunDirectoryTest, ClaimsNoMoreThanAskedFor) {
  for (int i = 0; i < 5; ++i) AbandonOne();
  EXPECT_THAT(RunDirectory::ClaimLeftovers(work_, 2), SizeIs(2));
  EXPECT_THAT(Leftovers(), SizeIs(5));
}

TEST_F(RunDirectoryTest, WhereThereWasNoRunThereIsNothingToClaim) {
  EXPECT_THAT(Leftovers(), IsEmpty());
  EXPECT_FALSE(Exists(work_));
}

TEST_F(RunDirectoryTest, OnlyDirectoriesAreClaimed) {
  AbandonOne();
  std::ofstream(work_ + "/run/file") << "x";
  ASSERT_EQ(symlink("/", (work_ + "/run/link").c_str()), 0);
  EXPECT_THAT(Leftovers(), SizeIs(1));
}

TEST_F(RunDirectoryTest, ProgramIsReadBack) {
  {
    const auto run = RunDirectory::Create(work_);
    ASSERT_THAT(run, IsOk());
    ASSERT_THAT(run->WriteProgram("/a b/p --x\n'\xff'"), IsOk());
  }
  const std::vector<RunDirectory> left = Leftovers();
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_THAT(left[0].ReadProgram(), IsOkAndHolds("/a b/p --x\n'\xff'"));
}

TEST_F(RunDirectoryTest, ContainerIsTheSameToWhoeverClaimsTheDirectory) {
  const std::string id = RunDirectory::Create(work_)->run().container;
  const std::vector<RunDirectory> left = Leftovers();
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].run().container, id);
}

TEST_F(RunDirectoryTest, RecordOfAnEarlierReleaseIsUnderstood) {
  const auto run = RunDirectory::Create(work_);
  ASSERT_THAT(run, IsOk());
  std::ofstream(run->path() + "/run.record")
      << "program p --x\ncontainer run-1\nsandbox slaves/S\n";
  EXPECT_THAT(run->ReadProgram(), IsOkAndHolds("p --x"));
}

TEST_F(RunDirectoryTest, KilledBeforeItsRecordMeansNothingWasLaunched) {
  const auto run = RunDirectory::Create(work_);
  ASSERT_THAT(run, IsOk());
  EXPECT_THAT(run->ReadProgram(), IsOkAndHolds(std::nullopt));
}

TEST_F(RunDirectoryTest, DamagedRecordIsDataLoss) {
  const auto run = RunDirectory::Create(work_);
  ASSERT_THAT(run, IsOk());
  for (const std::string& bad :
       {std::string("container c\n"), std::string("program \\xzz\n"),
        std::string("program p"), std::string("program \n"), std::string(""),
        std::string(100000, 'x')}) {
    std::ofstream(run->path() + "/run.record") << bad;
    EXPECT_THAT(run->ReadProgram(), StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST_F(RunDirectoryTest, DirectoryThatOthersCanChangeIsRefused) {
  ASSERT_THAT(MakePath(work_ + "/run"), IsOk());
  ASSERT_EQ(chmod((work_ + "/run").c_str(), 0777), 0);
  EXPECT_THAT(RunDirectory::Create(work_),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       HasSubstr("can be changed by other users")));
  EXPECT_THAT(Leftovers(), IsEmpty());
  ASSERT_EQ(chmod((work_ + "/run").c_str(), 01777), 0);
  EXPECT_THAT(RunDirectory::Create(work_), IsOk());
}

TEST_F(RunDirectoryTest, WorkDirectoryThatIsAFileIsAnError) {
  std::ofstream(work_.c_str()) << "x";
  EXPECT_THAT(RunDirectory::Create(work_),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("Not a directory")));
}

// A directory that Create() returned must never be claimed.
TEST_F(RunDirectoryTest, CreatingAndClaimingAtOnceNeverShareADirectory) {
  std::atomic<bool> stop{false};
  std::thread cleaner([&] {
    while (!stop) {
      for (RunDirectory& left : Leftovers()) {
        EXPECT_THAT(std::move(left).Remove(), IsOk());
      }
    }
  });
  for (int i = 0; i < 300; ++i) {
    auto run = RunDirectory::Create(work_);
    ASSERT_THAT(run, IsOk());
    ASSERT_THAT(run->WriteProgram("p"), IsOk());
    EXPECT_TRUE(Exists(run->path() + "/run.record"));
    EXPECT_THAT((*std::move(run)).Remove(), IsOk());
  }
  stop = true;
  cleaner.join();
}

}  // namespace
}  // namespace external_containerizer

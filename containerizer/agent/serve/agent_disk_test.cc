// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/agent_disk.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "external_containerizer/state/reader.h"
#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/mutex_lock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class AgentDiskTest : public ::testing::Test {
 protected:
  AgentDiskTest()
      : disk_(*AgentDisk::Create(place_.path(),
                                 *state::Writer::Open(place_.path()))) {
    EXPECT_THAT(disk_->RecordSelf("agent-1", "framework", false), IsOk());
    request_.executor.mutable_executor_id()->set_value("one");
    request_.executor.mutable_framework_id()->set_value("framework");
    request_.executor.mutable_command()->set_value("sleep");
  }

  state::AgentState Read() {
    auto state = state::ReadAgentState(place_.path());
    EXPECT_THAT(state, IsOk());
    return state.ok() ? *std::move(state) : state::AgentState();
  }
  std::string SandboxPath() { return place_ / state::RunPath(run_); }

  const state::TemporaryDirectory place_;
  std::unique_ptr<AgentDisk> disk_;
  const state::RunId run_ = {"agent-1", "framework", "one", "one"};
  LaunchRequest request_;
};

TEST_F(AgentDiskTest, TheAgentAndItsFrameworkAreRecordedOnce) {
  const std::string host = Read().slave->info->hostname();
  EXPECT_FALSE(host.empty());
  EXPECT_THAT(disk_->RecordSelf("agent-1", "framework", true), IsOk());
  EXPECT_EQ(Read().slave->id, "agent-1");
  EXPECT_THAT(Read().slave->frameworks, SizeIs(1));
  EXPECT_TRUE(Read().slave->frameworks[0].info->checkpoint());
}

TEST_F(AgentDiskTest, ALaunchHasASandboxAndARecord) {
  ASSERT_THAT(disk_->RecordLaunch(run_, request_), IsOk());
  struct stat status;
  ASSERT_EQ(stat(SandboxPath().c_str(), &status), 0);
  EXPECT_THAT(Read().slave->frameworks[0].executors, SizeIs(1));
}

TEST_F(AgentDiskTest, ForgetRemovesBothWhateverIsInTheSandbox) {
  ASSERT_THAT(disk_->RecordLaunch(run_, request_), IsOk());
  state::WriteFile(SandboxPath() + "/deep/file", "x");
  ASSERT_EQ(symlink("/etc", (SandboxPath() + "/link").c_str()), 0);
  ASSERT_THAT(disk_->Forget(run_), IsOk());
  EXPECT_NE(access(SandboxPath().c_str(), F_OK), 0);
  EXPECT_EQ(access("/etc/passwd", F_OK), 0);
  EXPECT_THAT(Read().slave->frameworks[0].executors, IsEmpty());
  EXPECT_THAT(disk_->Forget(run_), IsOk()) << "again is fine";
  EXPECT_THAT(disk_->RecordLaunch(run_, request_), IsOk()) << "and a new one";
}

TEST_F(AgentDiskTest, ASandboxThatIsThereAlreadyIsNotReused) {
  state::WriteFile(SandboxPath() + "/secret", "of another time");
  EXPECT_THAT(disk_->RecordLaunch(run_, request_),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       HasSubstr("there are files already")));
}

TEST_F(AgentDiskTest, AUserWhomThisMachineDoesNotKnowIsTheProgramsToRefuse) {
  request_.user = "no such user";
  EXPECT_THAT(disk_->RecordLaunch(run_, request_), IsOk());
  EXPECT_EQ(request_.sandbox.owner, std::nullopt);
}

TEST_F(AgentDiskTest, TheBootIsTheKernels) {
  ASSERT_THAT(disk_->RecordBoot(), IsOk());
  EXPECT_FALSE(Read().rebooted);
}

TEST_F(AgentDiskTest, RunReturnsAtOnceAndAnswersFromAnotherThread) {
  absl::Notification go, over;
  absl::Status result;
  disk_->Run(
      "one",
      [&go] {
        go.WaitForNotification();
        return absl::DataLossError("as it was said");
      },
      [&](absl::Status status) {
        result = std::move(status);
        over.Notify();
      });
  go.Notify();
  over.WaitForNotification();
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(AgentDiskTest, WorkOfOneContainerIsDoneInOrder) {
  absl::Mutex mutex;
  std::map<std::string, std::vector<int>> done;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = absl::StrCat("container ", i % 7);
    disk_->Run(
        id, [] { return absl::OkStatus(); },
        [&, id, i](const absl::Status&) {
          MutexLock lock(&mutex);
          done[id].push_back(i);
        });
  }
  disk_.reset();  // Waits for all work.
  size_t count = 0;
  for (const auto& [id, order] : done) {
    count += order.size();
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end())) << id;
  }
  EXPECT_EQ(count, 1000u);
}

TEST_F(AgentDiskTest, AContainerThatIsStuckDoesNotHoldUpAllOthers) {
  absl::Notification release, others;
  std::atomic<bool> told{false};
  disk_->Run(
      "stuck",
      [&] {
        release.WaitForNotification();
        return absl::OkStatus();
      },
      [](const absl::Status&) {});
  // There are eight threads, so about one of eight ids shares that of "stuck".
  for (int i = 0; i < 64; ++i) {
    disk_->Run(
        absl::StrCat(i), [] { return absl::OkStatus(); },
        [&](const absl::Status&) {
          if (!told.exchange(true)) others.Notify();
        });
  }
  others.WaitForNotification();
  release.Notify();
  disk_.reset();
}

}  // namespace
}  // namespace external_containerizer

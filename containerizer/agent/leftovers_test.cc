// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/leftovers.h"

#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/containerizer/agent/request.h"
#include "external_containerizer/containerizer/agent/run_directory.h"
#include "external_containerizer/containerizer/agent/sandbox_layout.h"
#include "external_containerizer/containerizer/blocking.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/random_name.h"
#include "external_containerizer/transport/mock/oracle.h"
#include "external_containerizer/transport/mock/script.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class LeftoversTest : public ::testing::Test {
 protected:
  LeftoversTest()
      : work_(::testing::TempDir() + "/" + RandomName()),
        world_(std::make_shared<OracleWorld>()) {}

  // Leaves what a run leaves that is killed while its container runs. Returns
  // the directory.
  std::string AbandonContainer() {
    auto run = RunDirectory::Create(work_);
    EXPECT_THAT(run, IsOk());
    auto sandbox = MakeSandbox(run->path(), run->fd(), run->run());
    EXPECT_THAT(sandbox, IsOk());
    EXPECT_THAT(run->WriteProgram("the program"), IsOk());
    auto containerizer = Containerizer::Create({}, OracleTransport(world_));
    EXPECT_THAT(containerizer, IsOk());
    BlockingContainerizer blocking(**containerizer);
    EXPECT_THAT(blocking.Recover({}), IsOk());
    EXPECT_THAT(blocking.Launch(MakeLaunchRequest(run->run(), sandbox->sandbox,
                                                  {"x", {"x"}, {}}, {})),
                IsOk());
    container_ = run->run().container;
    return run->path();
  }

  // Cleans up and waits for the end.
  void Clean(LeftoverCleaner::MakeTransport make_transport) {
    absl::Notification done;
    LeftoverCleaner cleaner(
        work_, std::move(make_transport),
        [this](const std::string& notice) { notices_.push_back(notice); },
        [&] { done.Notify(); });
    done.WaitForNotification();
  }

  LeftoverCleaner::MakeTransport ToWorld() {
    return [this](TransportOptions options) {
      options_.push_back(std::move(options));
      return OracleTransport(world_);
    };
  }

  bool Exists(const std::string& path) {
    return access(path.c_str(), F_OK) == 0;
  }

  std::string work_;
  std::shared_ptr<OracleWorld> world_;
  std::vector<TransportOptions> options_;
  std::vector<std::string> notices_;
  std::string container_;  // The id of the abandoned container.
};

TEST_F(LeftoversTest, ContainerOfAKilledRunIsDestroyedAndItsFilesRemoved) {
  const std::string path = AbandonContainer();
  ASSERT_THAT(world_->Containers(), ElementsAre(container_));
  Clean(ToWorld());
  EXPECT_THAT(world_->Containers(), IsEmpty());
  EXPECT_FALSE(Exists(path));
  EXPECT_THAT(notices_,
              ElementsAre(HasSubstr("destroyed the container " + container_)));
  ASSERT_EQ(options_.size(), 1u);
  EXPECT_EQ(options_[0].program, "the program");
  EXPECT_EQ(options_[0].work_directory, path);
}

TEST_F(LeftoversTest, RunThatLaunchedNothingIsRemovedWithoutAWord) {
  const std::string path = RunDirectory::Create(work_)->path();
  Clean(ToWorld());
  EXPECT_FALSE(Exists(path));
  EXPECT_THAT(notices_, IsEmpty());
  EXPECT_THAT(options_, IsEmpty());
}

TEST_F(LeftoversTest, RunThatLivesIsLeftAlone) {
  const auto run = RunDirectory::Create(work_);
  ASSERT_THAT(run, IsOk());
  ASSERT_THAT(run->WriteProgram("p"), IsOk());
  Clean(ToWorld());
  EXPECT_TRUE(Exists(run->path()));
  EXPECT_THAT(options_, IsEmpty());
}

TEST_F(LeftoversTest, WhatCannotBeDestroyedStaysAndIsTold) {
  const std::string path = AbandonContainer();
  Clean([](TransportOptions) -> TransportFactory {
    return [](EventLoop&) -> absl::StatusOr<std::unique_ptr<Transport>> {
      return absl::FailedPreconditionError("the program is gone");
    };
  });
  EXPECT_TRUE(Exists(path));
  EXPECT_THAT(notices_,
              ElementsAre(AllOf(HasSubstr(path), HasSubstr("is gone"))));
  // The next run tries again.
  Clean(ToWorld());
  EXPECT_FALSE(Exists(path));
}

TEST_F(LeftoversTest, DamagedRecordIsToldAndNothingIsRemoved) {
  const std::string path = AbandonContainer();
  ASSERT_EQ(truncate((path + "/run.record").c_str(), 3), 0);
  Clean(ToWorld());
  EXPECT_TRUE(Exists(path));
  EXPECT_THAT(notices_, ElementsAre(HasSubstr("is damaged")));
}

TEST_F(LeftoversTest, EndingDoesNotWaitForAProgramThatHangs) {
  const std::string path = AbandonContainer();
  auto script = std::make_shared<Script>();
  absl::Notification done;
  {
    LeftoverCleaner cleaner(
        work_, [&](TransportOptions) { return ScriptTransport(script); },
        [this](const std::string& notice) { notices_.push_back(notice); },
        [&] { done.Notify(); });
    const auto recover = script->Next();
    ASSERT_NE(recover, nullptr);
  }
  EXPECT_TRUE(done.HasBeenNotified());
  EXPECT_TRUE(Exists(path));
  EXPECT_THAT(notices_, IsEmpty());
}

}  // namespace
}  // namespace external_containerizer

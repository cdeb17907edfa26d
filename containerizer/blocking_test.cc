// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/blocking.h"

#include <memory>
#include <optional>
#include <thread>  // NOLINT(build/c++11)
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "external_containerizer/containerizer/containerizer.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/mock/oracle.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;

class BlockingContainerizerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto containerizer =
        Containerizer::Create(Options(), OracleTransport(world_));
    ASSERT_THAT(containerizer.status(), IsOk());
    containerizer_ = *std::move(containerizer);
    blocking_.emplace(*containerizer_);
  }

  static LaunchRequest Request(const ContainerId& id) {
    LaunchRequest request;
    request.id = id;
    request.executor.mutable_executor_id()->set_value("executor");
    request.sandbox = {"/agent", "sandbox", std::nullopt};
    return request;
  }

  std::shared_ptr<OracleWorld> world_ = std::make_shared<OracleWorld>();
  std::unique_ptr<Containerizer> containerizer_;
  std::optional<BlockingContainerizer> blocking_;
};

TEST_F(BlockingContainerizerTest, EachMethodReturnsWhatItsCallbackWouldGet) {
  EXPECT_THAT(blocking_->Launch(Request("a")),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_THAT(blocking_->Recover({}).status(), IsOk());
  ASSERT_THAT(blocking_->Launch(Request("a")), IsOk());
  EXPECT_THAT(blocking_->Update("a", {}), IsOk());
  const auto usage = blocking_->Usage("a");
  ASSERT_THAT(usage.status(), IsOk());
  EXPECT_TRUE(usage->has_value());
  EXPECT_THAT(*blocking_->Containers(), ElementsAre("a"));
  ASSERT_TRUE(world_->Exit("a", 3 << 8));
  EXPECT_EQ(blocking_->Wait("a")->status(), 3 << 8);
  EXPECT_EQ(blocking_->Destroy("a")->status(), 3 << 8);
  EXPECT_THAT(blocking_->Wait("a").status(),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(BlockingContainerizerTest, SeveralThreadsMayWaitAtOnce) {
  ASSERT_THAT(blocking_->Recover({}).status(), IsOk());
  ASSERT_THAT(blocking_->Launch(Request("a")), IsOk());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back(
        [this] { EXPECT_EQ(blocking_->Wait("a")->status(), 9); });
  }
  ASSERT_TRUE(world_->Exit("a", 9));
  for (std::thread& thread : threads) thread.join();
}

TEST_F(BlockingContainerizerTest, ACallFromACallbackIsRefusedAndDoesNotHang) {
  ASSERT_THAT(blocking_->Recover({}).status(), IsOk());
  std::vector<absl::Status> refused;
  absl::Notification called;
  containerizer_->Launch(Request("a"), [&](absl::Status) {
    refused = {
        blocking_->Recover({}).status(), blocking_->Launch(Request("b")),
        blocking_->Update("a", {}),      blocking_->Usage("a").status(),
        blocking_->Wait("a").status(),   blocking_->Destroy("a").status(),
        blocking_->Containers().status()};
    called.Notify();
  });
  called.WaitForNotification();
  EXPECT_EQ(refused.size(), 7u);
  EXPECT_THAT(refused,
              ::testing::Each(StatusIs(absl::StatusCode::kFailedPrecondition)));
}

}  // namespace
}  // namespace external_containerizer

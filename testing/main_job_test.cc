// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The main job over whichever transport --//transport:backend says. Nothing in
// here knows which one that is.

#include <stdlib.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/blocking.h"
#include "external_containerizer/containerizer/containerizer.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/selected.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MainJobTest : public ::testing::Test {
 protected:
  void SetUp() override {
    work_ = absl::StrCat(::testing::TempDir(), "/main_job.XXXXXX");
    ASSERT_NE(mkdtemp(work_.data()), nullptr);
    ASSERT_EQ(mkdir(absl::StrCat(work_, "/sandbox").c_str(), 0700), 0);
  }

  // A new agent on the same work directory.
  void StartAgent() {
    containerizer_ = nullptr;
    TransportOptions transport;
    transport.program = TestDataPath("containerizer/posix/posix");
    transport.work_directory = work_;
    Options options;
    options.environment.work_directory = work_;
    auto containerizer =
        Containerizer::Create(options, SelectedTransport(transport));
    ASSERT_THAT(containerizer.status(), IsOk());
    containerizer_ = *std::move(containerizer);
    blocking_ = std::make_unique<BlockingContainerizer>(*containerizer_);
  }

  LaunchRequest Request(const ContainerId& id, const std::string& command) {
    LaunchRequest request;
    request.id = id;
    request.executor.mutable_executor_id()->set_value("executor");
    request.executor.mutable_framework_id()->set_value("framework");
    request.executor.mutable_command()->set_value(command);
    request.sandbox = {work_, "sandbox", std::nullopt};
    return request;
  }

  std::string work_;
  std::unique_ptr<Containerizer> containerizer_;
  std::unique_ptr<BlockingContainerizer> blocking_;
};

TEST_F(MainJobTest, AContainerRunsEndsAndIsForgotten) {
  StartAgent();
  ASSERT_THAT(blocking_->Recover({}).status(), IsOk());
  ASSERT_THAT(blocking_->Launch(Request("a", "exit 0")), IsOk());
  const auto termination = blocking_->Wait("a");
  ASSERT_THAT(termination.status(), IsOk());
  EXPECT_EQ(wire::ExitOf(*termination),
            (wire::Exit{wire::Exit::Kind::kExited, 0}));
  EXPECT_THAT(blocking_->Usage("a").status(), IsOk());
  EXPECT_THAT(*blocking_->Containers(), ElementsAre("a"));
  EXPECT_THAT(blocking_->Destroy("a").status(), IsOk());
  EXPECT_THAT(*blocking_->Containers(), IsEmpty());
  EXPECT_THAT(blocking_->Wait("a").status(),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(MainJobTest, ManyAtOnce) {
  StartAgent();
  ASSERT_THAT(blocking_->Recover({}).status(), IsOk());
  constexpr int kContainers = 20;
  for (int i = 0; i < kContainers; ++i) {
    ASSERT_THAT(blocking_->Launch(Request(absl::StrCat("c-", i), "exit 0")),
                IsOk());
  }
  for (int i = 0; i < kContainers; ++i) {
    const ContainerId id = absl::StrCat("c-", i);
    EXPECT_EQ(blocking_->Wait(id)->status(), 0);
    EXPECT_THAT(blocking_->Destroy(id).status(), IsOk());
  }
  EXPECT_THAT(*blocking_->Containers(), IsEmpty());
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <stdlib.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/unix_socket/unix_socket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

class TrivialHelperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string directory = ::testing::TempDir() + "/t.XXXXXX";
    ASSERT_NE(mkdtemp(directory.data()), nullptr);
    UnixSocketOptions options;
    options.program = TestDataPath("testing/benchmarks/trivial_helper");
    options.work_directory = directory;
    auto transport = UnixSocketTransport(options)(*loop_);
    ASSERT_THAT(transport, IsOk());
    transport_ = *std::move(transport);
  }

  void Send(Command command, std::string input) {
    Invocation invocation;
    invocation.command = command;
    invocation.timeout = absl::Seconds(30);
    invocation.input = std::move(input);
    transport_->Invoke(std::move(invocation), [this](Answer answer) {
      answer_ = std::move(answer);
      loop_->Stop();
    });
  }

  Answer Run(Command command, std::string input) {
    answer_.reset();
    Send(command, std::move(input));
    loop_->Run();
    return *std::exchange(answer_, std::nullopt);
  }

  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::unique_ptr<Transport> transport_;
  std::optional<Answer> answer_;
};

TEST_F(TrivialHelperTest, AWaitThatItsDestroyOvertookEndsAtOnce) {
  wire::Destroy destroy;
  destroy.mutable_container_id()->set_value("one");
  EXPECT_THAT(Run(Command::kDestroy, destroy.SerializeAsString()).status,
              IsOk());
  wire::Wait wait;
  wait.mutable_container_id()->set_value("one");
  const Answer answer = Run(Command::kWait, wait.SerializeAsString());
  EXPECT_EQ(answer.outcome, Outcome::kAnswered);
  EXPECT_THAT(std::string(answer.status.message()),
              ::testing::HasSubstr("not known"));
}

}  // namespace
}  // namespace external_containerizer

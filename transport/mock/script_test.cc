// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/mock/script.h"

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/transport.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

Invocation Of(Command command, std::string input = "") {
  Invocation invocation;
  invocation.command = command;
  invocation.input = std::move(input);
  return invocation;
}

// The loop runs inside the test, by hand.
class ScriptTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto transport = ScriptTransport(script_)(*loop_);
    ASSERT_THAT(transport, IsOk());
    transport_ = *std::move(transport);
  }

  InvocationId Start(Invocation invocation, std::optional<Answer>* result) {
    return transport_->Invoke(std::move(invocation), [result](Answer answer) {
      EXPECT_FALSE(result->has_value()) << "called twice";
      *result = std::move(answer);
    });
  }

  void Settle() {
    loop_->Stop();
    loop_->Run();
  }

  std::shared_ptr<Script> script_ = std::make_shared<Script>(5);
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::unique_ptr<Transport> transport_;
};

TEST_F(ScriptTest, CallsComeInOrderAndOnce) {
  EXPECT_FALSE(script_->HasCall());
  EXPECT_EQ(script_->Next(absl::ZeroDuration()), nullptr);
  std::optional<Answer> first;
  std::optional<Answer> second;
  Start(Of(Command::kUsage, "one"), &first);
  Start(Of(Command::kUsage, "two"), &second);
  EXPECT_TRUE(script_->HasCall());
  EXPECT_EQ(script_->Next()->invocation().input, "one");
  EXPECT_EQ(script_->Next()->invocation().input, "two");
  EXPECT_FALSE(script_->HasCall());
}

TEST_F(ScriptTest, CallsCanBeTakenByCommand) {
  std::optional<Answer> wait;
  std::optional<Answer> usage;
  Start(Of(Command::kWait), &wait);
  Start(Of(Command::kUsage), &usage);
  EXPECT_EQ(script_->Next(Command::kDestroy, absl::ZeroDuration()), nullptr);
  EXPECT_EQ(script_->Next(Command::kUsage)->invocation().command,
            Command::kUsage);
  EXPECT_EQ(script_->Next()->invocation().command, Command::kWait);
}

TEST_F(ScriptTest, AnswerComesFromTheLoopAndOnlyTheFirstCounts) {
  std::optional<Answer> answer;
  Start(Of(Command::kUsage), &answer);
  auto call = script_->Next();
  call->Succeed("record");
  call->Fail(absl::InternalError("late"));
  EXPECT_FALSE(answer.has_value());
  Settle();
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(answer->status, IsOk());
  EXPECT_EQ(answer->outcome, Outcome::kAnswered);
  EXPECT_EQ(answer->output, "record");
}

TEST_F(ScriptTest, CallsAreAnsweredInTheOrderOfTheTest) {
  std::optional<Answer> first;
  std::optional<Answer> second;
  Start(Of(Command::kLaunch), &first);
  Start(Of(Command::kDestroy), &second);
  auto launch = script_->Next();
  auto destroy = script_->Next();
  destroy->Succeed();
  Settle();
  EXPECT_TRUE(second.has_value());
  EXPECT_EQ(second->output, std::nullopt);
  EXPECT_FALSE(first.has_value());
  launch->Fail(absl::UnavailableError("gone"), Outcome::kUnknown);
  Settle();
  ASSERT_TRUE(first.has_value());
  EXPECT_THAT(first->status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(first->outcome, Outcome::kUnknown);
}

TEST_F(ScriptTest, CancelIsSeenAndLeavesTheAnswerToTheTest) {
  std::optional<Answer> answer;
  const InvocationId id = Start(Of(Command::kWait), &answer);
  auto call = script_->Next();
  EXPECT_FALSE(call->cancelled());
  EXPECT_FALSE(call->WaitForCancel(absl::Milliseconds(1)));
  transport_->Cancel(id);
  transport_->Cancel(12345);
  EXPECT_TRUE(call->cancelled());
  Settle();
  EXPECT_FALSE(answer.has_value());
  call->Fail(absl::CancelledError(), Outcome::kEnded);
  Settle();
  EXPECT_TRUE(answer.has_value());
}

TEST_F(ScriptTest, CancelOfACallThatIsOverIsNotSeen) {
  std::optional<Answer> answer;
  const InvocationId id = Start(Of(Command::kWait), &answer);
  auto call = script_->Next();
  call->Succeed();
  Settle();
  transport_->Cancel(id);
  EXPECT_FALSE(call->cancelled());
}

TEST_F(ScriptTest, AnswersAfterTheTransportAreNoAnswers) {
  auto held = std::make_shared<int>(0);
  for (int i = 0; i < 2; ++i) {
    transport_->Invoke(Of(Command::kUsage), [held](Answer) { FAIL(); });
  }
  auto before = script_->Next();
  auto after = script_->Next();
  before->Succeed();  // On its way when the transport goes.
  transport_.reset();
  EXPECT_EQ(held.use_count(), 1);
  after->Succeed();
  Settle();
  loop_.reset();
  after->Succeed();
}

TEST_F(ScriptTest, SecondTransportCallsTheSameScript) {
  transport_.reset();
  SetUp();
  std::optional<Answer> answer;
  Start(Of(Command::kRecover), &answer);
  script_->Next()->Succeed();
  Settle();
  EXPECT_TRUE(answer.has_value());
  EXPECT_EQ(transport_->MaxWaits(), 5u);
}

TEST(ScriptThreadsTest, TestAndLoopMayBeOnDifferentThreads) {
  auto loop = *EventLoop::Create();
  auto script = std::make_shared<Script>();
  std::unique_ptr<Transport> transport;
  absl::Notification answered;
  loop->Post([&] {
    transport = *ScriptTransport(script)(*loop);
    const InvocationId id =
        transport->Invoke(Of(Command::kLaunch), [&](Answer answer) {
          EXPECT_TRUE(loop->OnLoopThread());
          EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kCancelled));
          answered.Notify();
        });
    loop->Post([&, id] { transport->Cancel(id); });
  });
  std::thread thread([&] { loop->Run(); });
  auto call = script->Next();  // Waits for the thread.
  ASSERT_NE(call, nullptr);
  EXPECT_TRUE(call->WaitForCancel());
  call->Fail(absl::CancelledError(), Outcome::kEnded);
  answered.WaitForNotification();
  loop->Post([&] { transport.reset(); });
  loop->Stop();
  thread.join();
}

}  // namespace
}  // namespace external_containerizer

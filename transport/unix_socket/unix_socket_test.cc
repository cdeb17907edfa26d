// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The transport and a HelperServer on one loop, with a script behind the
// server: commands reach the script, and its answers the caller.

#include "external_containerizer/transport/unix_socket/unix_socket.h"

#include <stdlib.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/leftovers.h"
#include "external_containerizer/transport/mock/script.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "external_containerizer/transport/unix_socket/commands.h"
#include "external_containerizer/transport/unix_socket/connector.h"
#include "external_containerizer/transport/unix_socket/helper.h"
#include "external_containerizer/transport/unix_socket/helper_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class UnixSocketTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = ::testing::TempDir() + "/s.XXXXXX";
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
    options_.program = "my_program";
    options_.work_directory = directory_;
    options_.socket = directory_ + "/s.sock";
    options_.inherit = std::vector<std::string>();
    options_.cancel_patience = absl::Milliseconds(200);
  }

  void TearDown() override {
    transport_.reset();
    server_.reset();
  }

  void Serve(HelperOptions options = {}) {
    server_.reset();
    auto script = ScriptTransport(script_)(*loop_);
    ASSERT_THAT(script, IsOk());
    server_ = std::make_unique<HelperServer>(*loop_, *std::move(script),
                                             std::move(options));
    const auto listener = ttrpc::ListenUnix(options_.socket);
    ASSERT_THAT(listener, IsOk());
    ASSERT_THAT(server_->Listen(*listener), IsOk());
  }

  void Connect() {
    transport_.reset();
    auto transport = UnixSocketTransport(options_)(*loop_);
    ASSERT_THAT(transport, IsOk());
    transport_ = *std::move(transport);
  }

  void Start() {
    Serve();
    Connect();
  }

  static Invocation Of(Command command, std::string input = "") {
    Invocation invocation;
    invocation.command = command;
    invocation.input = std::move(input);
    return invocation;
  }

  struct Pending {
    InvocationId id = 0;
    std::optional<Answer> answer;
  };

  std::shared_ptr<Pending> Invoke(Invocation invocation) {
    auto pending = std::make_shared<Pending>();
    pending->id =
        transport_->Invoke(std::move(invocation), [pending](Answer answer) {
          EXPECT_FALSE(pending->answer.has_value()) << "called twice";
          pending->answer = std::move(answer);
        });
    EXPECT_FALSE(pending->answer.has_value()) << "called inside Invoke()";
    return pending;
  }

  // The next call that has reached the program.
  std::shared_ptr<ScriptedCall> Next() {
    ttrpc::RunUntil(*loop_, [this] { return script_->HasCall(); });
    return script_->Next(absl::ZeroDuration());
  }

  Answer Await(const std::shared_ptr<Pending>& pending) {
    ttrpc::RunUntil(*loop_, [&pending] { return pending->answer.has_value(); });
    return pending->answer.value_or(Answer());
  }

  void RunUntilCancelled(const std::shared_ptr<ScriptedCall>& call) {
    ttrpc::RunUntil(*loop_, [&call] { return call->cancelled(); });
  }

  std::string directory_;
  UnixSocketOptions options_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::shared_ptr<Script> script_ = std::make_shared<Script>(100'000);
  std::unique_ptr<HelperServer> server_;
  std::unique_ptr<Transport> transport_;
};

TEST_F(UnixSocketTest, AllOfAnInvocationArrives) {
  ASSERT_EQ(setenv("UNIX_SOCKET_TEST", "inherited\n\xff", 1), 0);
  ASSERT_EQ(setenv("UNIX_SOCKET_WINS", "no", 1), 0);
  options_.inherit = {"UNIX_SOCKET_*"};
  Start();
  Invocation invocation = Of(Command::kLaunch, std::string("\0in\xff", 4));
  invocation.environment = {{"A", "\xfe"}, {"UNIX_SOCKET_WINS", "yes"}};
  invocation.sandbox = Sandbox{"/root", "a/b", Sandbox::Owner{12, 34}};
  invocation.timeout = absl::Seconds(77);
  const auto pending = Invoke(std::move(invocation));
  const auto call = Next();
  EXPECT_EQ(call->invocation().command, Command::kLaunch);
  EXPECT_EQ(call->invocation().input, std::string("\0in\xff", 4));
  EXPECT_THAT(
      call->invocation().environment,
      UnorderedElementsAre(Pair("A", "\xfe"), Pair("UNIX_SOCKET_WINS", "yes"),
                           Pair("UNIX_SOCKET_TEST", "inherited\n\xff")));
  ASSERT_TRUE(call->invocation().sandbox.has_value());
  EXPECT_EQ(call->invocation().sandbox->root, "/root");
  EXPECT_EQ(call->invocation().sandbox->path, "a/b");
  EXPECT_EQ(call->invocation().sandbox->owner->uid, 12u);
  EXPECT_EQ(call->invocation().sandbox->owner->gid, 34u);
  EXPECT_EQ(call->invocation().timeout, absl::Seconds(77));
  call->Succeed();
  const Answer answer = Await(pending);
  EXPECT_THAT(answer.status, IsOk());
  EXPECT_EQ(answer.outcome, Outcome::kAnswered);
  EXPECT_EQ(answer.output, std::nullopt);
  EXPECT_EQ(answer.program, "my_program");
}

TEST_F(UnixSocketTest, AllOfAnAnswerComesBack) {
  Start();
  const auto pending = Invoke(Of(Command::kWait));
  Answer given;
  given.outcome = Outcome::kAnswered;
  given.output = std::string("\0\xff", 2);
  given.wait_status = 3 << 8;
  given.status = absl::InternalError("exited with \"3\"\n\x1b[31m");
  Next()->End(given);
  const Answer answer = Await(pending);
  EXPECT_EQ(answer.output, std::string("\0\xff", 2));
  EXPECT_EQ(answer.wait_status, 3 << 8);
  EXPECT_EQ(answer.outcome, Outcome::kAnswered);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kInternal,
                                      "exited with \"3\"\\n\\x1b[31m"));
}

TEST_F(UnixSocketTest, AnEmptyRecordIsNotNone) {
  Start();
  const auto empty = Invoke(Of(Command::kContainers));
  Next()->Succeed("");
  EXPECT_EQ(Await(empty).output, "");
  const auto none = Invoke(Of(Command::kUsage));
  Next()->Succeed();
  EXPECT_EQ(Await(none).output, std::nullopt);
}

TEST_F(UnixSocketTest, FailuresKeepTheirOutcomeAndAreFatalRetryOrGone) {
  Start();
  const struct {
    absl::StatusCode given;
    Outcome outcome;
    absl::StatusCode seen;
  } kCases[] = {
      {absl::StatusCode::kNotFound, Outcome::kAnswered,
       absl::StatusCode::kInternal},
      {absl::StatusCode::kInvalidArgument, Outcome::kAnswered,
       absl::StatusCode::kInternal},
      {absl::StatusCode::kAborted, Outcome::kAnswered,
       absl::StatusCode::kUnavailable},
      {absl::StatusCode::kResourceExhausted, Outcome::kAnswered,
       absl::StatusCode::kResourceExhausted},
      {absl::StatusCode::kFailedPrecondition, Outcome::kNotStarted,
       absl::StatusCode::kFailedPrecondition},
      {absl::StatusCode::kDataLoss, Outcome::kEnded,
       absl::StatusCode::kDataLoss},
      {absl::StatusCode::kUnavailable, Outcome::kUnknown,
       absl::StatusCode::kUnavailable},
  };
  for (const auto& test : kCases) {
    const auto pending = Invoke(Of(Command::kUpdate));
    Next()->Fail(absl::Status(test.given, "why"), test.outcome);
    const Answer answer = Await(pending);
    EXPECT_THAT(answer.status, StatusIs(test.seen, "why"));
    EXPECT_EQ(answer.outcome, test.outcome);
  }
}

TEST_F(UnixSocketTest, CommandsAreAnsweredInAnyOrder) {
  Start();
  const auto wait = Invoke(Of(Command::kWait, "w"));
  const auto usage = Invoke(Of(Command::kUsage, "u"));
  const auto waiting = Next();
  Next()->Succeed("usage");
  EXPECT_EQ(Await(usage).output, "usage");
  EXPECT_FALSE(wait->answer.has_value());
  waiting->Succeed("wait");
  EXPECT_EQ(Await(wait).output, "wait");
}

TEST_F(UnixSocketTest, TheLargestInputArrivesWithALargeEnvironment) {
  Start();
  Invocation invocation =
      Of(Command::kLaunch, std::string(kMaxInputBytes, 'x'));
  invocation.environment["LARGE"] = std::string(1 << 20, 'e');
  const auto pending = Invoke(std::move(invocation));
  const auto call = Next();
  EXPECT_EQ(call->invocation().input.size(), kMaxInputBytes);
  EXPECT_EQ(call->invocation().environment.at("LARGE").size(), 1u << 20);
  call->Succeed();
  EXPECT_THAT(Await(pending).status, IsOk());
}

TEST_F(UnixSocketTest, WhatIsTooLargeIsRefusedAndOthersGoOn) {
  Start();
  const auto too_large =
      Invoke(Of(Command::kLaunch, std::string(kMaxInputBytes + 1, 'x')));
  Invocation invocation = Of(Command::kLaunch);
  invocation.environment["LARGE"] = std::string(16 << 20, 'e');
  const auto environment = Invoke(std::move(invocation));
  const auto usage = Invoke(Of(Command::kUsage));
  Next()->Succeed("u");
  EXPECT_EQ(Await(usage).output, "u");
  for (const auto& refused : {too_large, environment}) {
    const Answer answer = Await(refused);
    EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
    EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kInvalidArgument,
                                        HasSubstr("limit is")));
  }
}

TEST_F(UnixSocketTest, AnAnswerOfSeveralFramesIsFetched) {
  Start();
  // 100,000 containers make an answer of about 4 MB; the largest has 16 MB.
  std::string output;
  for (int i = 0; output.size() + 20 < (16u << 20); ++i) {
    absl::StrAppend(&output, "container-", i);
  }
  for (int round = 0; round < 2; ++round) {
    const auto pending = Invoke(Of(Command::kContainers));
    Next()->Succeed(output);
    const Answer answer = Await(pending);
    EXPECT_THAT(answer.status, IsOk());
    EXPECT_TRUE(answer.output == output);
  }
}

TEST_F(UnixSocketTest, AnAnswerThatIsTooLargeIsDataLoss) {
  Start();
  const auto pending = Invoke(Of(Command::kContainers));
  Next()->Succeed(std::string((16 << 20) + 1, 'x'));
  const Answer answer = Await(pending);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(answer.outcome, Outcome::kEnded);
}

TEST_F(UnixSocketTest, CancelIsOverWhenTheCommandHasEnded) {
  Start();
  const auto pending = Invoke(Of(Command::kWait));
  const auto call = Next();
  transport_->Cancel(pending->id);
  EXPECT_FALSE(pending->answer.has_value());
  RunUntilCancelled(call);
  call->Fail(absl::CancelledError("ended"), Outcome::kEnded);
  const Answer answer = Await(pending);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kCancelled,
                                      HasSubstr("it was ended")));
  EXPECT_EQ(answer.outcome, Outcome::kEnded);
}

TEST_F(UnixSocketTest, CancelOfWhatDoesNotEndIsUnknownAfterAWhile) {
  Start();
  const auto pending = Invoke(Of(Command::kLaunch));
  const auto call = Next();
  transport_->Cancel(pending->id);
  transport_->Cancel(pending->id);
  const Answer answer = Await(pending);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kCancelled,
                                      HasSubstr("could not be ended")));
  EXPECT_EQ(answer.outcome, Outcome::kUnknown);
  EXPECT_TRUE(call->cancelled());
  // Too late, and no harm.
  call->Succeed();
  transport_->Cancel(pending->id);
  const auto next = Invoke(Of(Command::kUsage));
  Next()->Succeed("u");
  EXPECT_EQ(Await(next).output, "u");
}

TEST_F(UnixSocketTest, AnAnswerThatOvertakesCancelCounts) {
  Start();
  const auto pending = Invoke(Of(Command::kLaunch));
  const auto call = Next();
  transport_->Cancel(pending->id);
  call->Succeed();
  const Answer answer = Await(pending);
  EXPECT_THAT(answer.status, IsOk());
  EXPECT_EQ(answer.outcome, Outcome::kAnswered);
}

TEST_F(UnixSocketTest, CancelBeforeThereIsAHelperIsNotStarted) {
  Connect();
  const auto pending = Invoke(Of(Command::kLaunch));
  transport_->Cancel(pending->id);
  EXPECT_FALSE(pending->answer.has_value());
  const Answer answer = Await(pending);
  EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(UnixSocketTest, TimeIsEnforcedHere) {
  Start();
  Invocation invocation = Of(Command::kUpdate);
  invocation.timeout = absl::Milliseconds(50);
  const auto pending = Invoke(std::move(invocation));
  const auto call = Next();
  RunUntilCancelled(call);
  call->Fail(absl::CancelledError("ended"), Outcome::kEnded);
  const Answer answer = Await(pending);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kDeadlineExceeded,
                                      HasSubstr("it was ended")));
  EXPECT_EQ(answer.outcome, Outcome::kEnded);
}

TEST_F(UnixSocketTest, TimeThatEndsWithoutAHelperSaysWhyThereIsNone) {
  options_.min_backoff = absl::Seconds(30);
  options_.max_backoff = absl::Seconds(30);
  Connect();
  const Answer first = Await(Invoke(Of(Command::kUsage)));
  EXPECT_THAT(first.status, StatusIs(absl::StatusCode::kUnavailable,
                                     HasSubstr("is the helper of "
                                               "\"my_program\" running?")));
  EXPECT_EQ(first.outcome, Outcome::kNotStarted);
  Invocation invocation = Of(Command::kUsage);
  invocation.timeout = absl::Milliseconds(20);
  const Answer second = Await(Invoke(std::move(invocation)));
  EXPECT_EQ(second.outcome, Outcome::kNotStarted);
  EXPECT_THAT(second.status,
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       HasSubstr("is the helper of \"my_program\" running?")));
}

TEST_F(UnixSocketTest, LosingTheHelperIsUnknownAndTheNextCommandFindsTheNext) {
  Start();
  const auto wait = Invoke(Of(Command::kWait));
  const auto launch = Invoke(Of(Command::kLaunch));
  Next();
  Next();
  server_.reset();
  for (const auto& pending : {wait, launch}) {
    const Answer answer = Await(pending);
    EXPECT_EQ(answer.outcome, Outcome::kUnknown);
    EXPECT_THAT(answer.status,
                StatusIs(absl::StatusCode::kUnavailable,
                         HasSubstr("may or may not have been done")));
  }
  Serve();
  const auto usage = Invoke(Of(Command::kUsage));
  Next()->Succeed("u");
  EXPECT_EQ(Await(usage).output, "u");
}

TEST_F(UnixSocketTest, DestructionCancelsWaitsAndLeavesTheRestToFinish) {
  Start();
  const auto wait = Invoke(Of(Command::kWait));
  const auto recover = Invoke(Of(Command::kRecover));
  const auto launch = Invoke(Of(Command::kLaunch));
  const auto waiting = Next();
  const auto recovering = Next();
  const auto launching = Next();
  transport_.reset();
  RunUntilCancelled(waiting);
  RunUntilCancelled(recovering);
  EXPECT_FALSE(launching->cancelled());
  EXPECT_EQ(server_->commands(), 3u);
  launching->Succeed();
  recovering->Fail(absl::CancelledError("ended"), Outcome::kEnded);
  waiting->Fail(absl::CancelledError("ended"), Outcome::kEnded);
  ttrpc::RunUntil(*loop_, [this] { return server_->commands() == 0; });
  EXPECT_FALSE(wait->answer.has_value());
  EXPECT_FALSE(recover->answer.has_value());
  EXPECT_FALSE(launch->answer.has_value());
}

TEST_F(UnixSocketTest, DrainCancelsWaitsLetsLaunchesEndAndRefusesTheRest) {
  Start();
  const auto wait = Invoke(Of(Command::kWait));
  const auto launch = Invoke(Of(Command::kLaunch));
  const auto waiting = Next();
  const auto launching = Next();
  bool drained = false;
  server_->Drain([&drained] { drained = true; });
  RunUntilCancelled(waiting);
  waiting->Fail(absl::CancelledError("ended"), Outcome::kEnded);
  const Answer cancelled = Await(wait);
  EXPECT_EQ(cancelled.outcome, Outcome::kEnded);
  EXPECT_THAT(cancelled.status, StatusIs(absl::StatusCode::kUnavailable,
                                         HasSubstr("shuts down")));
  const Answer refused = Await(Invoke(Of(Command::kUsage)));
  EXPECT_EQ(refused.outcome, Outcome::kNotStarted);
  EXPECT_THAT(refused.status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(drained);
  EXPECT_FALSE(launching->cancelled());
  launching->Succeed();
  EXPECT_THAT(Await(launch).status, IsOk());
  ttrpc::RunUntil(*loop_, [&drained] { return drained; });
}

TEST_F(UnixSocketTest, DrainLetsLaunchesBeCancelled) {
  Start();
  const auto launch = Invoke(Of(Command::kLaunch));
  const auto launching = Next();
  bool drained = false;
  server_->Drain([&drained] { drained = true; });
  transport_->Cancel(launch->id);
  RunUntilCancelled(launching);
  launching->Fail(absl::CancelledError("ended"), Outcome::kEnded);
  EXPECT_EQ(Await(launch).outcome, Outcome::kEnded);
  ttrpc::RunUntil(*loop_, [&drained] { return drained; });
}

TEST_F(UnixSocketTest, ShutdownCancelsTheLaunchesOfAgentsThatAreGone) {
  Start();
  Invoke(Of(Command::kLaunch));
  const auto orphan = Next();
  transport_.reset();
  ttrpc::RunUntil(*loop_, [this] { return server_->connections() == 0; });
  bool asked = false;
  server_->WhenAskedToEnd([&asked] { asked = true; });
  const auto client = ttrpc::Client::Connect(*loop_, options_.socket);
  ASSERT_THAT(client, IsOk());
  ttrpc::Call(**client, helper::kShutdown, helper::v1::ShutdownRequest(), {},
              [](ttrpc::CallResult<helper::v1::ShutdownReply>) {});
  RunUntilCancelled(orphan);
  EXPECT_TRUE(asked);
}

TEST_F(UnixSocketTest, WhatAHelperRefusesWhileItShutsDownGoesToTheNextOne) {
  Start();
  const auto launch = Invoke(Of(Command::kLaunch));
  const auto launching = Next();
  bool drained = false;
  server_->Drain([&drained] { drained = true; });
  const std::unique_ptr<HelperServer> old = std::move(server_);
  Serve();
  // In parts, and in one.
  for (const size_t size : {size_t{5} << 20, size_t{5}}) {
    Invocation invocation = Of(Command::kUpdate, "input");
    invocation.environment["SIZE"] = std::string(size, 'x');
    const auto update = Invoke(std::move(invocation));
    const auto call = Next();
    EXPECT_EQ(call->invocation().input, "input");
    EXPECT_EQ(call->invocation().environment.at("SIZE").size(), size);
    call->Succeed();
    EXPECT_THAT(Await(update).status, IsOk());
  }
  EXPECT_EQ(server_->connections(), 1u);
  // The old one's answer still comes, over its connection.
  EXPECT_EQ(old->commands(), 1u);
  launching->Succeed();
  EXPECT_THAT(Await(launch).status, IsOk());
  ttrpc::RunUntil(*loop_, [&drained] { return drained; });
}

TEST_F(UnixSocketTest, DrainWaitsForLaunchesWhoseAgentIsGone) {
  Start();
  Invoke(Of(Command::kLaunch));
  const auto launching = Next();
  transport_.reset();
  ttrpc::RunUntil(*loop_, [this] { return server_->connections() == 0; });
  bool drained = false;
  server_->Drain([&drained] { drained = true; });
  loop_->RunAfter(absl::Milliseconds(20), [this] { loop_->Stop(); });
  loop_->Run();
  EXPECT_FALSE(drained);
  launching->Succeed();
  ttrpc::RunUntil(*loop_, [&drained] { return drained; });
}

TEST_F(UnixSocketTest, TimeLeftIsTheLongestOfTheCommandsThatADrainWaitsFor) {
  Start();
  EXPECT_EQ(server_->TimeLeft(), absl::ZeroDuration());
  const auto wait = Invoke(Of(Command::kWait));
  const auto waiting = Next();
  EXPECT_EQ(server_->TimeLeft(), absl::ZeroDuration());
  for (const int hours : {2, 3, 1}) {
    Invocation invocation = Of(Command::kLaunch);
    invocation.timeout = absl::Hours(hours);
    Invoke(std::move(invocation));
  }
  const std::vector<std::shared_ptr<ScriptedCall>> launches = {Next(), Next(),
                                                               Next()};
  EXPECT_GT(server_->TimeLeft(), absl::Hours(2));
  EXPECT_LE(server_->TimeLeft(), absl::Hours(3));
  // Also when the agent is gone.
  transport_.reset();
  ttrpc::RunUntil(*loop_, [this] { return server_->connections() == 0; });
  EXPECT_GT(server_->TimeLeft(), absl::Hours(2));
  for (const auto& launch : launches) launch->Succeed();
  waiting->Fail(absl::CancelledError("ended"), Outcome::kEnded);
  ttrpc::RunUntil(*loop_, [this] { return server_->commands() == 0; });
  EXPECT_EQ(server_->TimeLeft(), absl::ZeroDuration());
  // Commands that are over do not count.
  Connect();
  Invocation invocation = Of(Command::kLaunch);
  invocation.timeout = absl::Minutes(1);
  Invoke(std::move(invocation));
  const auto brief = Next();
  EXPECT_LE(server_->TimeLeft(), absl::Minutes(1));
}

TEST_F(UnixSocketTest, LaunchOfAnAgentThatIsGoneEndsBeforeTheNextOneRecovers) {
  Start();
  Invoke(Of(Command::kLaunch));
  const auto orphan = Next();
  Connect();
  const auto recover = Invoke(Of(Command::kRecover));
  const auto destroy = Invoke(Of(Command::kDestroy));
  const auto given_up = Invoke(Of(Command::kDestroy));
  RunUntilCancelled(orphan);
  // Other commands than recover and destroy do not wait.
  const auto usage = Invoke(Of(Command::kUsage));
  Next()->Succeed("u");
  EXPECT_EQ(Await(usage).output, "u");
  transport_->Cancel(given_up->id);
  const Answer cancelled = Await(given_up);
  EXPECT_EQ(cancelled.outcome, Outcome::kNotStarted);
  EXPECT_THAT(
      cancelled.status,
      StatusIs(absl::StatusCode::kCancelled,
               HasSubstr("it was not started: it was cancelled while it "
                         "waited for the launch of an agent")));
  EXPECT_FALSE(script_->HasCall());
  orphan->Fail(absl::CancelledError("ended"), Outcome::kEnded);
  for (const auto& held : {recover, destroy}) {
    Next()->Succeed();
    EXPECT_THAT(Await(held).status, IsOk());
  }
  EXPECT_EQ(server_->commands(), 0u);
}

TEST_F(UnixSocketTest, ASecondAgentIsServedBesideTheFirst) {
  Start();
  const auto first = Invoke(Of(Command::kWait, "first"));
  const auto call = Next();
  std::unique_ptr<Transport> kept = std::move(transport_);
  Connect();
  // Its key is the same.
  const auto second = Invoke(Of(Command::kWait, "second"));
  const auto other = Next();
  EXPECT_EQ(first->id, second->id);
  other->Succeed("2");
  EXPECT_EQ(Await(second).output, "2");
  call->Succeed("1");
  EXPECT_EQ(Await(first).output, "1");
  kept.reset();
}

TEST_F(UnixSocketTest, CommandsBeyondTheHelpersLimitAreToldToTryAgain) {
  HelperOptions options;
  options.max_commands = 3;
  Serve(std::move(options));
  Connect();
  std::vector<std::shared_ptr<Pending>> pending;
  for (int i = 0; i < 4; ++i) pending.push_back(Invoke(Of(Command::kWait)));
  const Answer refused = Await(pending[3]);
  EXPECT_EQ(refused.outcome, Outcome::kNotStarted);
  EXPECT_THAT(refused.status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(transport_->MaxWaits(), 2u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(pending[static_cast<size_t>(i)]->answer.has_value());
  }
}

TEST_F(UnixSocketTest, NoMoreWaitsFitThanTheProgramHasRoomFor) {
  script_ = std::make_shared<Script>(5'000);
  Start();
  const auto usage = Invoke(Of(Command::kUsage));
  Next()->Succeed();
  Await(usage);
  EXPECT_EQ(transport_->MaxWaits(), 5'000u);
}

TEST_F(UnixSocketTest, TenThousandWaitOverOneConnection) {
  Start();
  ASSERT_GE(transport_->MaxWaits(), 10'000u);
  std::vector<std::shared_ptr<Pending>> pending;
  std::vector<std::shared_ptr<ScriptedCall>> calls;
  for (int i = 0; i < 10'000; ++i) {
    pending.push_back(Invoke(Of(Command::kWait, absl::StrCat(i))));
  }
  while (calls.size() < pending.size()) calls.push_back(Next());
  EXPECT_EQ(server_->connections(), 1u);
  // While they wait others are answered.
  const auto usage = Invoke(Of(Command::kUsage));
  Next()->Succeed("u");
  EXPECT_EQ(Await(usage).output, "u");
  for (const auto& call : calls) call->Succeed(call->invocation().input);
  for (size_t i = 0; i < pending.size(); ++i) {
    ASSERT_EQ(Await(pending[i]).output, absl::StrCat(i));
  }
}

TEST_F(UnixSocketTest, ConnectionWhoseIdsAreNearlyUsedUpIsFollowedByAnother) {
  Serve();
  // With a Hello and one command, a million are left.
  constexpr uint32_t kFirst = 0xffffffff - 2'000'000 - 2;
  transport_ = std::make_unique<unix_socket_internal::UnixSocket>(
      *loop_, options_,
      std::make_unique<Leftovers>(loop_.get(), nullptr, absl::ZeroDuration()),
      std::make_unique<Connector>(*loop_, options_, options_.socket,
                                  Environment(), nullptr, kFirst));
  const auto first = Invoke(Of(Command::kWait, "1"));
  const auto call = Next();
  EXPECT_EQ(server_->connections(), 1u);
  const auto second = Invoke(Of(Command::kWait, "2"));
  const auto other = Next();
  EXPECT_EQ(server_->connections(), 2u);
  other->Succeed("two");
  EXPECT_EQ(Await(second).output, "two");
  // A command on the old connection can still be cancelled, and ends.
  transport_->Cancel(first->id);
  RunUntilCancelled(call);
  call->Succeed("one");
  EXPECT_EQ(Await(first).output, "one");
  // The old connection is closed.
  ttrpc::RunUntil(*loop_, [this] { return server_->connections() == 1; });
}

TEST_F(UnixSocketTest, TransportMayBeDestroyedByAnAnswer) {
  Start();
  bool done = false;
  transport_->Invoke(Of(Command::kUsage), [this, &done](Answer) {
    transport_.reset();
    done = true;
  });
  const auto other = Invoke(Of(Command::kWait));
  Next()->Succeed();
  ttrpc::RunUntil(*loop_, [&done] { return done; });
  // And by one that tells of a lost connection, with others to come.
  Start();
  done = false;
  transport_->Invoke(Of(Command::kUsage), [this, &done](Answer) {
    transport_.reset();
    done = true;
  });
  Invoke(Of(Command::kWait));
  Next();
  server_.reset();
  ttrpc::RunUntil(*loop_, [&done] { return done; });
  EXPECT_FALSE(other->answer.has_value());
}

TEST_F(UnixSocketTest, AWorkDirectoryOrAProgramThatIsNotThereFailsAtOnce) {
  options_.socket.clear();
  options_.program = directory_ + "/nothing";
  EXPECT_THAT(UnixSocketTransport(options_)(*loop_).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("No such file")));
  options_.program = "/bin/true";
  options_.work_directory = directory_ + "/nothing";
  EXPECT_THAT(UnixSocketTransport(options_)(*loop_).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("work directory")));
}

}  // namespace
}  // namespace external_containerizer

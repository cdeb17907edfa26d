// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/mock/oracle.h"

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/transport.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <typename Message>
Invocation About(Command command, const std::string& id) {
  Message message;
  message.mutable_container_id()->set_value(id);
  Invocation invocation;
  invocation.command = command;
  invocation.input = message.SerializeAsString();
  return invocation;
}

Invocation Launch(const std::string& id) {
  return About<wire::Launch>(Command::kLaunch, id);
}
Invocation Wait(const std::string& id) {
  return About<wire::Wait>(Command::kWait, id);
}
Invocation Usage(const std::string& id) {
  return About<wire::Usage>(Command::kUsage, id);
}
Invocation Destroy(const std::string& id) {
  return About<wire::Destroy>(Command::kDestroy, id);
}
Invocation Plain(Command command) {
  Invocation invocation;
  invocation.command = command;
  return invocation;
}

void AddScalar(const std::string& name, double value, wire::Update& update) {
  wire::Resource& resource = *update.add_resources();
  resource.set_name(name);
  resource.set_type(wire::Value::SCALAR);
  resource.mutable_scalar()->set_value(value);
}

// The status in an answer to `wait`; -1 if it is none.
int WaitStatus(const std::optional<Answer>& answer) {
  wire::Termination termination;
  if (!answer.has_value() || !answer->status.ok() ||
      !answer->output.has_value() ||
      !termination.ParseFromString(*answer->output) ||
      !termination.has_status()) {
    return -1;
  }
  return termination.status();
}

class OracleTest : public ::testing::Test {
 protected:
  void SetUp() override { Restart(); }
  void TearDown() override { transport_.reset(); }

  // As an agent that starts, or starts again.
  void Restart() {
    transport_.reset();
    auto transport = OracleTransport(world_)(*loop_);
    ASSERT_THAT(transport, IsOk());
    transport_ = *std::move(transport);
  }

  // The answer is in *result when it has come.
  InvocationId Start(Invocation invocation, std::optional<Answer>* result) {
    auto returned = std::make_shared<bool>(false);
    const InvocationId id = transport_->Invoke(
        std::move(invocation), [this, result, returned](Answer answer) {
          EXPECT_TRUE(*returned) << "called inside Invoke()";
          EXPECT_FALSE(result->has_value()) << "called twice";
          *result = std::move(answer);
          loop_->Stop();
        });
    *returned = true;
    return id;
  }

  // Runs the loop until an answer comes.
  void Run() { loop_->Run(); }

  // Runs what is due now, and what follows from it.
  void Settle() {
    for (int i = 0; i < 4; ++i) {
      loop_->Stop();
      loop_->Run();
    }
  }

  Answer Call(Invocation invocation) {
    std::optional<Answer> result;
    Start(std::move(invocation), &result);
    Run();
    return result.value_or(Answer());
  }

  std::vector<std::string> Listed() {
    wire::Containers containers;
    Answer answer = Call(Plain(Command::kContainers));
    EXPECT_TRUE(containers.ParseFromString(answer.output.value_or("?")));
    std::vector<std::string> ids;
    for (const auto& id : containers.containers()) ids.push_back(id.value());
    return ids;
  }

  std::shared_ptr<OracleWorld> world_ = std::make_shared<OracleWorld>();
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::unique_ptr<Transport> transport_;
};

TEST_F(OracleTest, RecoverSucceedsAndNothingIsListedAtFirst) {
  Answer answer = Call(Plain(Command::kRecover));
  EXPECT_THAT(answer.status, IsOk());
  EXPECT_EQ(answer.outcome, Outcome::kAnswered);
  EXPECT_EQ(answer.output, std::nullopt);
  EXPECT_THAT(Listed(), IsEmpty());
}

TEST_F(OracleTest, LaunchedContainersAreListedUntilTheyAreDestroyed) {
  EXPECT_THAT(Call(Launch("b")).status, IsOk());
  EXPECT_THAT(Call(Launch("a")).status, IsOk());
  EXPECT_THAT(Listed(), ElementsAre("a", "b"));
  EXPECT_TRUE(world_->Exit("a", 0));
  EXPECT_THAT(Listed(), ElementsAre("a", "b"));
  EXPECT_THAT(Call(Destroy("a")).status, IsOk());
  EXPECT_THAT(Listed(), ElementsAre("b"));
}

TEST_F(OracleTest, LaunchKeepsWhatTheProgramWasGiven) {
  Invocation launch = Launch("a");
  launch.environment["MESOS_EXECUTOR_ID"] = "e";
  launch.sandbox = Sandbox();
  launch.sandbox->root = "/agent";
  launch.sandbox->path = "a";
  Call(std::move(launch));
  auto container = world_->Find("a");
  ASSERT_TRUE(container.has_value());
  EXPECT_EQ(container->launch.container_id().value(), "a");
  EXPECT_EQ(container->environment["MESOS_EXECUTOR_ID"], "e");
  EXPECT_EQ(container->sandbox->FullPath(), "/agent/a");
  EXPECT_EQ(container->wait_status, std::nullopt);
  EXPECT_EQ(world_->Find("b"), std::nullopt);
}

TEST_F(OracleTest, LaunchOfAContainerThatExistsFailsAndShowsItsIdEscaped) {
  Call(Launch("a\x1b"));
  Answer answer = Call(Launch("a\x1b"));
  EXPECT_THAT(answer.status,
              StatusIs(absl::StatusCode::kInternal,
                       HasSubstr("container \"a\\x1b\" exists already")));
  EXPECT_EQ(answer.outcome, Outcome::kAnswered);
}

TEST_F(OracleTest, EveryWaitIsAnsweredWhenTheContainerEnds) {
  Call(Launch("a"));
  std::optional<Answer> first;
  std::optional<Answer> second;
  Start(Wait("a"), &first);
  Start(Wait("a"), &second);
  Settle();
  EXPECT_EQ(first.has_value(), false);
  EXPECT_TRUE(world_->Exit("a", 3 << 8));
  Settle();
  EXPECT_EQ(WaitStatus(first), 3 << 8);
  EXPECT_EQ(WaitStatus(second), 3 << 8);
  // And as often as it is asked from then on.
  EXPECT_EQ(WaitStatus(Call(Wait("a"))), 3 << 8);
  EXPECT_EQ(WaitStatus(Call(Wait("a"))), 3 << 8);
}

TEST_F(OracleTest, ExitFromAnotherThreadReachesAWaitOnARunningLoop) {
  Call(Launch("a"));
  std::optional<Answer> answer;
  Start(Wait("a"), &answer);
  std::thread thread([&] { EXPECT_TRUE(world_->Exit("a", 0)); });
  Run();
  thread.join();
  EXPECT_EQ(WaitStatus(answer), 0);
}

TEST_F(OracleTest, ContainerEndsOnlyOnce) {
  EXPECT_FALSE(world_->Exit("a", 0));
  Call(Launch("a"));
  EXPECT_TRUE(world_->Exit("a", 1 << 8));
  EXPECT_FALSE(world_->Exit("a", 2 << 8));
  EXPECT_EQ(world_->Find("a")->wait_status, 1 << 8);
}

TEST_F(OracleTest, DestroyOfARunningContainerLetsWaitSayItWasKilled) {
  Call(Launch("a"));
  std::optional<Answer> wait;
  std::optional<Answer> destroy;
  Start(Wait("a"), &wait);
  Start(Destroy("a"), &destroy);
  Settle();
  EXPECT_EQ(WaitStatus(wait), 9);
  ASSERT_TRUE(destroy.has_value());
  EXPECT_THAT(destroy->status, IsOk());
  EXPECT_THAT(Listed(), IsEmpty());
}

TEST_F(OracleTest, DestroyOfAnUnknownContainerSucceeds) {
  EXPECT_THAT(Call(Destroy("a")).status, IsOk());
}

TEST_F(OracleTest, OtherCommandsAboutAnUnknownContainerFail) {
  for (Invocation invocation :
       {Wait("a"), Usage("a"), About<wire::Update>(Command::kUpdate, "a")}) {
    Answer answer = Call(invocation);
    EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kInternal,
                                        HasSubstr("does not exist")));
    EXPECT_EQ(answer.outcome, Outcome::kAnswered);
    EXPECT_EQ(answer.output, std::nullopt);
  }
}

TEST_F(OracleTest, UsageTellsTheLimitsThatTheLastUpdateSet) {
  world_ = std::make_shared<OracleWorld>(
      OracleOptions{false, [] { return absl::FromUnixSeconds(1000); }});
  Restart();
  wire::Update first;
  AddScalar("cpus", 1, first);
  Invocation launch = Launch("a");
  wire::Launch message;
  ASSERT_TRUE(message.ParseFromString(launch.input));
  *message.mutable_executor_info()->mutable_resources() = first.resources();
  launch.input = message.SerializeAsString();
  ASSERT_THAT(Call(std::move(launch)).status, IsOk());

  wire::ResourceStatistics statistics;
  ASSERT_TRUE(statistics.ParseFromString(*Call(Usage("a")).output));
  EXPECT_EQ(statistics.timestamp(), 1000);
  EXPECT_EQ(statistics.cpus_limit(), 1);
  EXPECT_FALSE(statistics.has_mem_limit_bytes());

  wire::Update update;
  update.mutable_container_id()->set_value("a");
  AddScalar("mem", 64, update);
  AddScalar("cpus", 0.5, update);
  AddScalar("cpus", 0.25, update);
  Invocation invocation = Plain(Command::kUpdate);
  invocation.input = update.SerializeAsString();
  EXPECT_THAT(Call(std::move(invocation)).status, IsOk());
  ASSERT_TRUE(statistics.ParseFromString(*Call(Usage("a")).output));
  EXPECT_EQ(statistics.cpus_limit(), 0.75);
  EXPECT_EQ(statistics.mem_limit_bytes(), 64u << 20);
}

TEST_F(OracleTest, InputThatIsNotTheMessageIsTheProgramsFailure) {
  for (Command command : {Command::kLaunch, Command::kUpdate, Command::kUsage,
                          Command::kWait, Command::kDestroy}) {
    Invocation invocation = Plain(command);
    invocation.input = "\xff";
    EXPECT_THAT(Call(invocation).status,
                StatusIs(absl::StatusCode::kInternal,
                         HasSubstr(std::string(CommandName(command)))));
  }
}

TEST_F(OracleTest, InvocationThatNoTransportCanCarryIsRefused) {
  Invocation large = Plain(Command::kLaunch);
  large.input = std::string(kMaxInputBytes + 1, 'x');
  Invocation nul = Launch("a");
  nul.environment["A"] = std::string("x\0y", 3);
  Invocation equals = Launch("a");
  equals.environment["A=B"] = "x";
  for (Invocation invocation : {large, nul, equals}) {
    Answer answer = Call(invocation);
    EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  }
  EXPECT_THAT(world_->Containers(), IsEmpty());
}

TEST_F(OracleTest, CancelEndsAWaitOnceAndNotInsideTheCall) {
  Call(Launch("a"));
  std::optional<Answer> answer;
  const InvocationId id = Start(Wait("a"), &answer);
  transport_->Cancel(id);
  transport_->Cancel(id);
  world_->Exit("a", 0);
  EXPECT_FALSE(answer.has_value());
  Settle();
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(answer->status, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(answer->outcome, Outcome::kEnded);
  transport_->Cancel(id);
  transport_->Cancel(12345);
  Settle();
}

TEST_F(OracleTest, CancelOfWhatIsDoneChangesNothing) {
  std::optional<Answer> answer;
  transport_->Cancel(Start(Launch("a"), &answer));
  Run();
  EXPECT_THAT(answer->status, IsOk());
}

TEST_F(OracleTest, WaitEndsWhenItsTimeIsOver) {
  Call(Launch("a"));
  Invocation wait = Wait("a");
  wait.timeout = absl::Milliseconds(1);
  Answer answer = Call(std::move(wait));
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(answer.outcome, Outcome::kEnded);
  // The container does not mind.
  world_->Exit("a", 0);
  EXPECT_EQ(WaitStatus(Call(Wait("a"))), 0);
}

TEST_F(OracleTest, DestroyedTransportForgetsItsCallsAndTheWorldGoesOn) {
  Call(Launch("a"));
  auto held = std::make_shared<int>(0);
  Invocation timed = Wait("a");
  timed.timeout = absl::Milliseconds(1);
  for (Invocation invocation : {Wait("a"), timed, Launch("b")}) {
    transport_->Invoke(invocation, [held](Answer) { FAIL(); });
  }
  // Its answers are on their way when it goes.
  world_->Exit("a", 1 << 8);
  Restart();
  EXPECT_EQ(held.use_count(), 1);
  EXPECT_THAT(Listed(), ElementsAre("a", "b"));
  EXPECT_EQ(WaitStatus(Call(Wait("a"))), 1 << 8);
  loop_->RunAfter(absl::Milliseconds(5), [this] { loop_->Stop(); });
  loop_->Run();
}

TEST_F(OracleTest, ContainersCanEndByThemselves) {
  OracleOptions options;
  options.exit_immediately = true;
  world_ = std::make_shared<OracleWorld>(options);
  Restart();
  EXPECT_THAT(Call(Launch("a")).status, IsOk());
  EXPECT_EQ(WaitStatus(Call(Wait("a"))), 0);
}

}  // namespace
}  // namespace external_containerizer

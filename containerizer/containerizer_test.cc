// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/containerizer.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>  // NOLINT(build/c++17)
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <thread>  // NOLINT(build/c++11)
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "external_containerizer/containerizer/blocking.h"
#include "external_containerizer/testing/no_threads.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/mutex_lock.h"
#include "external_containerizer/transport/mock/oracle.h"
#include "external_containerizer/transport/mock/script.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

LaunchRequest Request(const ContainerId& id) {
  LaunchRequest request;
  request.id = id;
  request.executor.mutable_executor_id()->set_value("executor");
  request.executor.mutable_framework_id()->set_value("framework");
  request.executor.mutable_command()->set_value("true");
  request.sandbox = {"/agent", absl::StrCat("sandboxes/", id), std::nullopt};
  return request;
}

wire::Resource Cpus(double cpus) {
  wire::Resource resource;
  resource.set_name("cpus");
  resource.set_type(wire::Value::SCALAR);
  resource.mutable_scalar()->set_value(cpus);
  return resource;
}

std::string TerminationBytes(int wait_status) {
  wire::Termination termination;
  termination.set_status(wait_status);
  return termination.SerializeAsString();
}

// Keeps the argument of a callback, for a test that waits for it.
template <typename T>
class Result {
 public:
  auto Callback() {
    return [state = state_](T value) {
      state->value = std::move(value);
      ASSERT_FALSE(state->called.HasBeenNotified()) << "called twice";
      state->called.Notify();
    };
  }
  const T& Get() const {
    state_->called.WaitForNotification();
    return *state_->value;
  }
  bool Has() const { return state_->called.HasBeenNotified(); }

 private:
  struct State {
    std::optional<T> value;
    absl::Notification called;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

// --- With a program that is right ---

class ContainerizerTest : public ::testing::Test {
 protected:
  void Start(Options options = {}) {
    auto containerizer =
        Containerizer::Create(std::move(options), OracleTransport(world_));
    ASSERT_THAT(containerizer.status(), IsOk());
    containerizer_ = *std::move(containerizer);
    blocking_.emplace(*containerizer_);
    ASSERT_THAT(blocking_->Recover({}).status(), IsOk());
  }

  std::shared_ptr<OracleWorld> world_ = std::make_shared<OracleWorld>();
  std::unique_ptr<Containerizer> containerizer_;
  std::optional<BlockingContainerizer> blocking_;
};

TEST_F(ContainerizerTest, AContainerLivesAndEnds) {
  Start();
  ASSERT_THAT(blocking_->Launch(Request("a")), IsOk());
  ASSERT_THAT(blocking_->Update("a", {Cpus(2)}), IsOk());
  auto usage = blocking_->Usage("a");
  ASSERT_THAT(usage.status(), IsOk());
  EXPECT_EQ((*usage)->cpus_limit(), 2);
  EXPECT_THAT(*blocking_->Containers(), ElementsAre("a"));
  Result<absl::StatusOr<wire::Termination>> wait;
  containerizer_->Wait("a", wait.Callback());
  ASSERT_TRUE(world_->Exit("a", 3 << 8));
  EXPECT_EQ(wait.Get()->status(), 3 << 8);
  EXPECT_THAT(*blocking_->Containers(), ElementsAre("a"))
      << "it is held until it is destroyed";
  EXPECT_EQ(blocking_->Wait("a")->status(), 3 << 8);
  EXPECT_EQ(blocking_->Destroy("a")->status(), 3 << 8);
  EXPECT_TRUE(world_->Containers().empty());
  EXPECT_THAT(blocking_->Wait("a").status(),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ContainerizerTest, TheProgramIsGivenTheProtocolsRecordAndVariables) {
  Options options;
  options.environment.work_directory = "/agent";
  Start(options);
  LaunchRequest request = Request("a");
  request.user = "nobody";
  request.agent_id = "agent-1";
  request.checkpoint = true;
  request.task.emplace();
  request.task->set_name("task");
  request.task->mutable_task_id()->set_value("task-1");
  request.task->mutable_slave_id()->set_value("agent-1");
  ASSERT_THAT(blocking_->Launch(request), IsOk());
  const auto container = world_->Find("a");
  ASSERT_TRUE(container.has_value());
  EXPECT_EQ(container->launch.container_id().value(), "a");
  EXPECT_EQ(container->launch.directory(), "/agent/sandboxes/a");
  EXPECT_EQ(container->launch.user(), "nobody");
  EXPECT_EQ(container->launch.slave_id().value(), "agent-1");
  EXPECT_EQ(container->launch.task_info().name(), "task");
  EXPECT_TRUE(container->launch.checkpoint());
  EXPECT_EQ(container->sandbox->path, "sandboxes/a");
  EXPECT_THAT(container->environment,
              Contains(Pair("MESOS_DIRECTORY", "/agent/sandboxes/a")));
  EXPECT_THAT(container->environment,
              Contains(Pair("MESOS_WORK_DIRECTORY", "/agent")));
}

TEST_F(ContainerizerTest, ARestartedAgentFindsItsContainersAgain) {
  Start();
  for (const char* id : {"keeps", "ends", "completed", "unacknowledged"}) {
    ASSERT_THAT(blocking_->Launch(Request(id)), IsOk());
  }
  containerizer_ = nullptr;
  world_->Exit("ends", 1 << 8);
  auto containerizer = Containerizer::Create({}, OracleTransport(world_));
  ASSERT_THAT(containerizer.status(), IsOk());
  BlockingContainerizer blocking(**containerizer);
  using State = KnownContainer::State;
  const auto summary =
      blocking.Recover({{"keeps", State::kRunning, std::nullopt},
                        {"ends", State::kRunning, std::nullopt},
                        {"completed", State::kCompleted, std::nullopt},
                        {"unacknowledged", State::kUnacknowledged, {}}});
  ASSERT_THAT(summary.status(), IsOk());
  EXPECT_THAT(summary->recovered, ElementsAre("ends", "keeps"));
  EXPECT_THAT(summary->destroyed, ElementsAre("completed", "unacknowledged"));
  EXPECT_EQ(blocking.Wait("ends")->status(), 1 << 8);
  world_->Exit("keeps", 2 << 8);
  EXPECT_EQ(blocking.Wait("keeps")->status(), 2 << 8);
}

TEST_F(ContainerizerTest, BadIdsAreRefusedBeforeAnythingStarts) {
  Start();
  for (const std::string& id :
       {std::string(), std::string("a/b"), std::string(".."),
        std::string("it's"), std::string("a\nb"), std::string(10240, 'x')}) {
    EXPECT_THAT(blocking_->Launch(Request(id)),
                StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(blocking_->Update(id, {}),
                StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(blocking_->Usage(id).status(),
                StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(blocking_->Wait(id).status(),
                StatusIs(absl::StatusCode::kInvalidArgument));
    const absl::Status destroy = blocking_->Destroy(id).status();
    EXPECT_THAT(destroy, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_LT(destroy.message().size(), 1000u);
  }
  EXPECT_TRUE(world_->Containers().empty());
}

TEST_F(ContainerizerTest, RequestsThatNoProgramCouldReadAreRefused) {
  Start();
  LaunchRequest request = Request("a");
  request.executor.clear_executor_id();
  EXPECT_THAT(
      blocking_->Launch(request),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("executor_id")));
  request = Request("a");
  request.executor.set_data(std::string(kMaxInputBytes, 'x'));
  EXPECT_THAT(blocking_->Launch(request),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("bytes")));
  for (const char* path : {"", "/a", "a/../../b", "a//b", "."}) {
    request = Request("a");
    request.sandbox.path = path;
    EXPECT_THAT(
        blocking_->Launch(request),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("sandbox")));
  }
  request = Request("a");
  request.executor.set_data(std::string(1 << 20, 'x'));
  EXPECT_THAT(blocking_->Launch(request), IsOk());
}

TEST_F(ContainerizerTest, RecoverRefusesWhatIsKnownTwiceOrByABadId) {
  auto containerizer = Containerizer::Create({}, OracleTransport(world_));
  ASSERT_THAT(containerizer.status(), IsOk());
  BlockingContainerizer blocking(**containerizer);
  const KnownContainer a{"a", KnownContainer::State::kRunning, std::nullopt};
  EXPECT_THAT(blocking.Recover({a, a}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("twice")));
  KnownContainer bad = a;
  bad.id = "../a";
  EXPECT_THAT(blocking.Recover({bad}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(blocking.Recover({}).status(), IsOk());
}

TEST_F(ContainerizerTest, ManyThreadsMayCallAtOnce) {
  Options options;
  options.lifecycle.max_commands = 4;
  Start(options);
  constexpr int kThreads = 8, kContainers = 50;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int c = 0; c < kContainers; ++c) {
        const ContainerId id = absl::StrCat("c-", t, "-", c);
        ASSERT_THAT(blocking_->Launch(Request(id)), IsOk());
        ASSERT_THAT(blocking_->Usage(id).status(), IsOk());
        ASSERT_TRUE(world_->Exit(id, c << 8));
        ASSERT_EQ(blocking_->Wait(id)->status(), c << 8);
        ASSERT_THAT(blocking_->Destroy(id).status(), IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(world_->Containers().empty());
}

TEST_F(ContainerizerTest, TenThousandWaitingContainersCostNoThread) {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                         std::filesystem::directory_iterator());
  };
  Start();
  const auto before = threads();
  constexpr int kContainers = 10000;
  absl::BlockingCounter ended(kContainers);
  for (int i = 0; i < kContainers; ++i) {
    const ContainerId id = absl::StrCat("c-", i);
    ASSERT_THAT(blocking_->Launch(Request(id)), IsOk());
    containerizer_->Wait(id, [&, i](absl::StatusOr<wire::Termination> how) {
      EXPECT_EQ(how->status(), (i % 100) << 8);
      ended.DecrementCount();
    });
  }
  EXPECT_THAT(blocking_->Usage("c-77").status(), IsOk());
  EXPECT_EQ(threads(), before);
  for (int i = 0; i < kContainers; ++i) {
    ASSERT_TRUE(world_->Exit(absl::StrCat("c-", i), (i % 100) << 8));
  }
  ended.Wait();
}

TEST(ContainerizerCreateTest, WithoutAThreadItFailsAndSaysWhatToDo) {
  const pid_t child = fork();
  if (child == 0) {
    ForbidThreads();
    const absl::Status status =
        Containerizer::Create(Options(),
                              ScriptTransport(std::make_shared<Script>()))
            .status();
    _exit(absl::IsResourceExhausted(status) &&
                  absl::StrContains(status.message(), "ulimit -u")
              ? 0
              : 1);
  }
  int wait_status = 0;
  ASSERT_EQ(waitpid(child, &wait_status, 0), child);
  EXPECT_EQ(wait_status, 0);
}

TEST_F(ContainerizerTest, CallbacksMayCallAnyMethod) {
  Start();
  Result<absl::StatusOr<wire::Termination>> destroyed;
  containerizer_->Launch(Request("a"), [&](absl::Status launched) {
    ASSERT_THAT(launched, IsOk());
    EXPECT_TRUE(containerizer_->OnOwnThread());
    auto called = std::make_shared<bool>(false);
    containerizer_->Usage(
        "a",
        [&, called](
            absl::StatusOr<std::optional<wire::ResourceStatistics>> usage) {
          *called = true;
          ASSERT_THAT(usage.status(), IsOk());
          containerizer_->Destroy("a", destroyed.Callback());
        });
    EXPECT_FALSE(*called) << "never inside the call that took it";
  });
  EXPECT_THAT(destroyed.Get().status(), IsOk());
}

TEST_F(ContainerizerTest, EventsTellWhatHappened) {
  absl::Mutex mutex;
  std::vector<std::string> events;
  Options options;
  options.on_event = [&](const ContainerEvent& event) {
    MutexLock lock(&mutex);
    switch (event.kind) {
      case ContainerEvent::Kind::kCommandStarted:
        events.push_back(absl::StrCat("start ", CommandName(event.command)));
        EXPECT_GE(event.queued, absl::ZeroDuration());
        break;
      case ContainerEvent::Kind::kCommandEnded:
        events.push_back(absl::StrCat("end ", CommandName(event.command), " ",
                                      event.status.ok() ? "ok" : "failed"));
        EXPECT_GE(event.took, absl::ZeroDuration());
        break;
      case ContainerEvent::Kind::kStateChanged:
        events.push_back(absl::StrCat(event.container, " is ",
                                      ContainerStateName(event.state)));
        break;
      case ContainerEvent::Kind::kNotice:
      case ContainerEvent::Kind::kTrouble:
        events.push_back(event.detail);
    }
  };
  Start(std::move(options));
  ASSERT_THAT(blocking_->Launch(Request("a")), IsOk());
  ASSERT_THAT(blocking_->Launch(Request("a")),
              StatusIs(absl::StatusCode::kAlreadyExists));
  containerizer_ = nullptr;
  EXPECT_THAT(events,
              ElementsAre("start recover", "end recover ok", "start containers",
                          "end containers ok", "a is launching", "start launch",
                          "end launch ok", "a is running", "start wait"));
}

TEST_F(ContainerizerTest, ABadOptionIsRefusedByName) {
  Options options;
  options.lifecycle.max_ended = 0;
  EXPECT_THAT(
      Containerizer::Create(options, OracleTransport(world_)).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("max_ended")));
}

TEST_F(ContainerizerTest, AFactoryThatFailsFailsCreate) {
  EXPECT_THAT(
      Containerizer::Create(
          {},
          [](EventLoop&) -> absl::StatusOr<std::unique_ptr<Transport>> {
            return absl::FailedPreconditionError("no such program");
          })
          .status(),
      StatusIs(absl::StatusCode::kFailedPrecondition, "no such program"));
}

// --- With every answer in the test's hand ---

class ScriptedContainerizerTest : public ::testing::Test {
 protected:
  void Start(Options options = {}) {
    auto containerizer =
        Containerizer::Create(std::move(options), ScriptTransport(script_));
    ASSERT_THAT(containerizer.status(), IsOk());
    containerizer_ = *std::move(containerizer);
  }

  void StartRecovered(Options options = {}) {
    Start(std::move(options));
    Result<absl::StatusOr<RecoverySummary>> recovered;
    containerizer_->Recover({}, recovered.Callback());
    script_->Next(Command::kRecover)->Succeed();
    script_->Next(Command::kContainers)->Succeed("");
    ASSERT_THAT(recovered.Get().status(), IsOk());
  }

  void Launch(const ContainerId& id) {
    Result<absl::Status> launched;
    containerizer_->Launch(Request(id), launched.Callback());
    script_->Next(Command::kLaunch)->Succeed();
    ASSERT_THAT(launched.Get(), IsOk());
  }

  std::shared_ptr<Script> script_ = std::make_shared<Script>();
  std::unique_ptr<Containerizer> containerizer_;
};

TEST_F(ScriptedContainerizerTest, EachCommandHasItsTimeAndWaitHasNone) {
  Options options;
  options.timeouts.usage = absl::Seconds(7);
  StartRecovered(options);
  Launch("a");
  containerizer_->Usage("a", [](auto) {});
  EXPECT_EQ(script_->Next(Command::kWait)->invocation().timeout,
            absl::InfiniteDuration());
  EXPECT_EQ(script_->Next(Command::kUsage)->invocation().timeout,
            absl::Seconds(7));
}

TEST_F(ScriptedContainerizerTest, ARepeatHasOnlyTheTimeThatIsLeft) {
  Options options;
  options.timeouts.usage = absl::Seconds(7);
  options.lifecycle.retry_delay = absl::Milliseconds(1);
  StartRecovered(options);
  Launch("a");
  Result<absl::StatusOr<std::optional<wire::ResourceStatistics>>> usage;
  containerizer_->Usage("a", usage.Callback());
  script_->Next(Command::kUsage)->Fail(absl::UnavailableError("away"));
  const auto repeat = script_->Next(Command::kUsage);
  EXPECT_LT(repeat->invocation().timeout, absl::Seconds(7));
  EXPECT_GT(repeat->invocation().timeout, absl::ZeroDuration());
  repeat->Succeed();
  EXPECT_THAT(usage.Get().status(), IsOk());
}

TEST_F(ScriptedContainerizerTest, ARepeatThatComesTooLateIsNotSent) {
  Options options;
  options.timeouts.usage = absl::Milliseconds(20);
  options.lifecycle.retry_delay = absl::Milliseconds(50);
  StartRecovered(options);
  Launch("a");
  Result<absl::StatusOr<std::optional<wire::ResourceStatistics>>> usage;
  containerizer_->Usage("a", usage.Callback());
  script_->Next(Command::kUsage)->Fail(absl::UnavailableError("away"));
  EXPECT_THAT(usage.Get().status(),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(ScriptedContainerizerTest, AnUpdateThatIsRepeatedIsTheSame) {
  Options options;
  options.lifecycle.retry_delay = absl::Milliseconds(1);
  StartRecovered(options);
  Launch("a");
  Result<absl::Status> updated;
  containerizer_->Update("a", {Cpus(3)}, updated.Callback());
  const auto first = script_->Next(Command::kUpdate);
  first->Fail(absl::InternalError("helper died"), Outcome::kUnknown);
  const auto second = script_->Next(Command::kUpdate);
  EXPECT_EQ(first->invocation().input, second->invocation().input);
  EXPECT_EQ(second->invocation().sandbox->path, "sandboxes/a");
  second->Succeed();
  EXPECT_THAT(updated.Get(), IsOk());
}

TEST_F(ScriptedContainerizerTest, EachContainerKeepsItsOwnSandbox) {
  StartRecovered();
  const std::vector<Sandbox> sandboxes = {
      {"/one", "a", std::nullopt},         {"/one", "b", Sandbox::Owner{1, 2}},
      {"/one", "c", Sandbox::Owner{1, 3}}, {"/two", "d", Sandbox::Owner{1, 3}},
      {"/one", "e", std::nullopt},
  };
  const auto expect_sandbox = [](const ScriptedCall& call,
                                 const Sandbox& sandbox) {
    SCOPED_TRACE(sandbox.path);
    const std::optional<Sandbox>& got = call.invocation().sandbox;
    ASSERT_TRUE(got.has_value());
    EXPECT_EQ(got->FullPath(), sandbox.FullPath());
    ASSERT_EQ(got->owner.has_value(), sandbox.owner.has_value());
    if (!sandbox.owner.has_value()) return;
    EXPECT_EQ(got->owner->uid, sandbox.owner->uid);
    EXPECT_EQ(got->owner->gid, sandbox.owner->gid);
  };
  for (const Sandbox& sandbox : sandboxes) {
    LaunchRequest request = Request(sandbox.path);
    request.sandbox = sandbox;
    containerizer_->Launch(request, [](absl::Status) {});
    const auto launch = script_->Next(Command::kLaunch);
    expect_sandbox(*launch, sandbox);
    launch->Succeed();
    expect_sandbox(*script_->Next(Command::kWait), sandbox);
  }
  for (const Sandbox& sandbox : sandboxes) {
    containerizer_->Destroy(sandbox.path, [](auto) {});
    expect_sandbox(*script_->Next(Command::kDestroy), sandbox);
  }
}

TEST_F(ScriptedContainerizerTest, WaitsAreBoundedByWhatTheTransportHolds) {
  script_ = std::make_shared<Script>(/*max_waits=*/1);
  StartRecovered();
  Launch("a");
  Launch("b");
  const auto first = script_->Next(Command::kWait);
  EXPECT_EQ(first->invocation().sandbox->path, "sandboxes/a");
  EXPECT_FALSE(script_->HasCall());
  first->Succeed(TerminationBytes(0));
  EXPECT_EQ(script_->Next(Command::kWait)->invocation().sandbox->path,
            "sandboxes/b");
}

TEST_F(ScriptedContainerizerTest, WaitIsCancelledWhenItOutlivesTheContainer) {
  Options options;
  options.lifecycle.wait_grace = absl::Milliseconds(1);
  StartRecovered(options);
  Launch("a");
  const auto wait = script_->Next(Command::kWait);
  Result<absl::StatusOr<wire::Termination>> destroyed;
  containerizer_->Destroy("a", destroyed.Callback());
  script_->Next(Command::kDestroy)->Succeed();
  EXPECT_TRUE(wait->WaitForCancel());
  wait->Fail(absl::CancelledError("killed"), Outcome::kEnded);
  ASSERT_THAT(destroyed.Get().status(), IsOk());
  EXPECT_THAT(destroyed.Get()->message(), HasSubstr("did not return"));
}

TEST_F(ScriptedContainerizerTest, DestructionReturnsEveryCallWithCancelled) {
  Start();
  Result<absl::StatusOr<RecoverySummary>> recover;
  Result<absl::Status> launch;
  Result<absl::StatusOr<wire::Termination>> wait;
  containerizer_->Recover({}, recover.Callback());
  containerizer_->Launch(Request("a"), launch.Callback());
  containerizer_->Wait("a", wait.Callback());
  const auto call = script_->Next(Command::kRecover);
  containerizer_ = nullptr;
  ASSERT_TRUE(recover.Has() && launch.Has() && wait.Has());
  EXPECT_THAT(recover.Get().status(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(launch.Get(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(wait.Get().status(), StatusIs(absl::StatusCode::kCancelled));
  call->Succeed();  // Too late; nobody is harmed.
}

TEST_F(ScriptedContainerizerTest, ACallMadeInACancelledCallbackReturnsToo) {
  StartRecovered();
  Containerizer* const containerizer = containerizer_.get();
  Result<absl::Status> again;
  containerizer->Launch(Request("a"), [&](absl::Status) {
    containerizer->Update("a", {}, again.Callback());
  });
  ASSERT_NE(script_->Next(Command::kLaunch), nullptr);
  containerizer_ = nullptr;
  ASSERT_TRUE(again.Has());
  EXPECT_THAT(again.Get(), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(ScriptedContainerizerTest, ItsThreadTakesNoSignals) {
  StartRecovered();
  Result<absl::Status> result;
  containerizer_->Update("a", {}, [&](absl::Status status) {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    EXPECT_TRUE(sigismember(&blocked, SIGTERM));
    EXPECT_TRUE(sigismember(&blocked, SIGPIPE));
    result.Callback()(status);
  });
  EXPECT_THAT(result.Get(), StatusIs(absl::StatusCode::kNotFound));
  sigset_t mine;
  pthread_sigmask(SIG_SETMASK, nullptr, &mine);
  EXPECT_FALSE(sigismember(&mine, SIGTERM));
}

}  // namespace
}  // namespace external_containerizer

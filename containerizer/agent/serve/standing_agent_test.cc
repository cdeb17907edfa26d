// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/standing_agent.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/program/exit_code.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/state/file_system.h"
#include "external_containerizer/state/known_containers.h"
#include "external_containerizer/state/reader.h"
#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/state/writer.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/mutex_lock.h"
#include "external_containerizer/transport/mock/oracle.h"
#include "external_containerizer/transport/mock/script.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

// Makes changes of an agent's files fail or hang. Thread-safe.
class Mischief {
 public:
  // From now on each change of a path that contains `part` fails.
  void Break(std::string part) {
    MutexLock lock(&mutex_);
    broken_ = std::move(part);
  }
  // The change number `n` from now on (from 0) does not return until Release(),
  // as if the agent were killed during it: before its effect or after it.
  void KillAt(int n, bool after_effect) {
    MutexLock lock(&mutex_);
    kill_at_ = n;
    kill_after_effect_ = after_effect;
    killed_ = released_ = false;
  }
  bool killed() {
    MutexLock lock(&mutex_);
    return killed_;
  }
  void Release() {
    MutexLock lock(&mutex_);
    released_ = true;
    kill_at_ = -1;
  }

  // Returns a number for the files of one agent.
  int NewFiles() {
    MutexLock lock(&mutex_);
    return ++files_;
  }

  absl::Status Do(int files, const std::string& path,
                  const std::function<absl::Status()>& change) {
    bool kill_now;
    {
      MutexLock lock(&mutex_);
      if (!broken_.empty() && absl::StrContains(path, broken_)) {
        return absl::ResourceExhaustedError(
            absl::StrCat("write ", path, ": no space left on device"));
      }
      // An agent that was killed changes nothing more.
      if (files == killed_files_) return absl::AbortedError("killed");
      kill_now = kill_at_ == 0;
      if (kill_at_ >= 0) --kill_at_;
      if (kill_now && !kill_after_effect_) return Die(files);
    }
    absl::Status status = change();
    if (!kill_now) return status;
    MutexLock lock(&mutex_);
    return Die(files);
  }

 private:
  absl::Status Die(int files) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    killed_ = true;
    killed_files_ = files;
    mutex_.Await(absl::Condition(&released_));
    return absl::AbortedError("killed");
  }

  absl::Mutex mutex_;
  int files_ ABSL_GUARDED_BY(mutex_) = 0;
  int killed_files_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string broken_ ABSL_GUARDED_BY(mutex_);
  int kill_at_ ABSL_GUARDED_BY(mutex_) = -1;
  bool kill_after_effect_ ABSL_GUARDED_BY(mutex_) = false;
  bool killed_ ABSL_GUARDED_BY(mutex_) = false;
  bool released_ ABSL_GUARDED_BY(mutex_) = true;
};

class MischievousFiles : public state::FileSystem {
 public:
  MischievousFiles(std::unique_ptr<state::FileSystem> files, Mischief& mischief)
      : files_(std::move(files)),
        mischief_(mischief),
        id_(mischief.NewFiles()) {}

  absl::Status MakeDirectory(const std::string& path) override {
    return mischief_.Do(id_, path, [&] { return files_->MakeDirectory(path); });
  }
  absl::Status MakeLink(const std::string& target,
                        const std::string& path) override {
    return mischief_.Do(id_, path,
                        [&] { return files_->MakeLink(target, path); });
  }
  absl::Status MakeFile(const std::string& path, absl::string_view bytes,
                        mode_t mode) override {
    return mischief_.Do(id_, path,
                        [&] { return files_->MakeFile(path, bytes, mode); });
  }
  absl::StatusOr<std::optional<std::string>> ReadFile(const std::string& path,
                                                      size_t max) override {
    return files_->ReadFile(path, max);
  }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    return mischief_.Do(id_, to, [&] { return files_->Rename(from, to); });
  }
  absl::Status Remove(const std::string& path) override {
    return mischief_.Do(id_, path, [&] { return files_->Remove(path); });
  }
  absl::Status RemoveTree(const std::string& path) override {
    return mischief_.Do(id_, path, [&] { return files_->RemoveTree(path); });
  }
  absl::Status SyncDirectory(const std::string& path) override {
    return mischief_.Do(id_, path, [&] { return files_->SyncDirectory(path); });
  }

 private:
  const std::unique_ptr<state::FileSystem> files_;
  Mischief& mischief_;
  const int id_;
};

class StandingAgentTest : public ::testing::Test {
 protected:
  StandingAgentTest() : loop_(*EventLoop::Create()) {}

  // The loop must outlive the agent: it has the functions that are posted to
  // it.
  ~StandingAgentTest() override { Kill(); }

  // Ends the agent as SIGKILL does: none of its callbacks is called any more.
  void Kill() { agent_.reset(); }

  // Starts an agent with the files of the last one, and begins its recovery.
  absl::Status Start() {
    Kill();
    summary_.reset();
    const absl::StatusOr<state::AgentState> state =
        state::ReadAgentState(work_dir_->path());
    if (!state.ok()) return state.status();
    auto writer = std::make_unique<state::Writer>(
        work_dir_->path(),
        std::make_unique<MischievousFiles>(
            *state::OpenFileSystem(work_dir_->path()), mischief_));
    StandingAgent::Options options = options_;
    options.work_dir = work_dir_->path();
    options.containerizer.lifecycle.retry_delay = absl::Milliseconds(1);
    options.write_retry = absl::Milliseconds(20);
    options.on_event = [this](const ContainerEvent& event,
                              const ContainerId& id) {
      events_.push_back(event);
      event_ids_.push_back(id);
    };
    options.transport = [this](StandingAgentOptions::OnStarted on_started) {
      on_started_ = std::move(on_started);
      return script_ != nullptr ? ScriptTransport(script_)
                                : OracleTransport(world_);
    };
    auto agent = StandingAgent::Create(*loop_, std::move(options), *state,
                                       std::move(writer));
    if (!agent.ok()) return agent.status();
    agent_ = *std::move(agent);
    agent_->Recover([this](absl::StatusOr<RecoverySummary> summary) {
      summary_ = std::move(summary);
    });
    return absl::OkStatus();
  }

  RecoverySummary StartAndRecover() {
    EXPECT_THAT(Start(), IsOk());
    ttrpc::RunUntil(*loop_, [&] { return summary_.has_value(); });
    EXPECT_THAT(*summary_, IsOk());
    return summary_->ok() ? **summary_ : RecoverySummary();
  }

  template <typename T>
  struct Waiting {
    std::shared_ptr<std::optional<absl::StatusOr<T>>> result =
        std::make_shared<std::optional<absl::StatusOr<T>>>();

    Done<T> done() const {
      return [result = result](absl::StatusOr<T> value) {
        EXPECT_FALSE(result->has_value()) << "called twice";
        *result = std::move(value);
      };
    }
    bool is_over() const { return result->has_value(); }
  };

  template <typename T>
  absl::StatusOr<T> Get(const Waiting<T>& waiting) {
    ttrpc::RunUntil(*loop_, [&] { return waiting.is_over(); });
    if (!waiting.is_over()) return absl::DeadlineExceededError("no answer");
    return **waiting.result;
  }

  StandingAgent::LaunchSpec Spec(const std::string& id) {
    StandingAgent::LaunchSpec spec;
    spec.name = id;
    spec.command.program = "sleep";
    spec.command.arguments = {"sleep", "600"};
    return spec;
  }

  // Returns the next call of `command`; runs the loop until it comes.
  std::shared_ptr<ScriptedCall> NextCall(Command command) {
    std::shared_ptr<ScriptedCall> call;
    ttrpc::RunUntil(*loop_, [&] {
      call = script_->Next(command, absl::ZeroDuration());
      return call != nullptr;
    });
    return call;
  }

  Waiting<Identity> BeginLaunch(const std::string& name) {
    Waiting<Identity> waiting;
    agent_->Launch(Spec(name), waiting.done());
    return waiting;
  }
  Waiting<wire::Termination> BeginWait(const std::string& id) {
    Waiting<wire::Termination> waiting;
    agent_->Wait(id, waiting.done());
    return waiting;
  }
  Waiting<wire::Termination> BeginDestroy(const std::string& id) {
    Waiting<wire::Termination> waiting;
    agent_->Destroy(id, waiting.done());
    return waiting;
  }
  // Returns the name.
  absl::StatusOr<std::string> Launch(const std::string& name) {
    const absl::StatusOr<Identity> launched = Get(BeginLaunch(name));
    if (!launched.ok()) return launched.status();
    return launched->name;
  }
  absl::Status Update(const std::string& which, const Resources& set,
                      const std::vector<std::string>& removed = {}) {
    return Get(BeginUpdate(which, set, removed)).status();
  }
  Waiting<bool> BeginUpdate(const std::string& which, const Resources& set,
                            const std::vector<std::string>& removed = {}) {
    Waiting<bool> waiting;
    agent_->Update(which, {set, removed},
                   [done = waiting.done()](absl::Status status) mutable {
                     std::move(done)(status.ok() ? absl::StatusOr<bool>(true)
                                                 : std::move(status));
                   });
    return waiting;
  }

  // Returns the ids of the containers that the program holds, by their names.
  std::multimap<std::string, ContainerId> InWorld() {
    std::multimap<std::string, ContainerId> ids;
    for (const ContainerId& id : world_->Containers()) {
      const auto container = world_->Find(id);
      if (!container) continue;
      ids.emplace(container->launch.executor_info().executor_id().value(), id);
    }
    return ids;
  }
  std::optional<OracleWorld::Container> InWorld(const std::string& name) {
    const auto ids = InWorld();
    const auto it = ids.find(name);
    if (it == ids.end()) return std::nullopt;
    return world_->Find(it->second);
  }
  void Exit(const std::string& name, int wait_status) {
    const auto ids = InWorld();
    ASSERT_EQ(ids.count(name), 1u);
    world_->Exit(ids.find(name)->second, wait_status);
  }
  // Returns -1 for an error, and if the code is unknown.
  int ExitCode(const absl::StatusOr<wire::Termination>& end) {
    if (!end.ok()) return -1;
    const wire::Exit exit = wire::ExitOf(*end);
    return exit.kind == wire::Exit::Kind::kExited ? exit.number : -1;
  }

  static wire::Resource Scalar(const std::string& name, double value) {
    wire::Resource resource;
    resource.set_name(name);
    resource.set_type(wire::Value::SCALAR);
    resource.mutable_scalar()->set_value(value);
    return resource;
  }
  // Returns the limits that the program was told last: "cpus:1;mem:64".
  std::string Limits(const std::string& name) {
    std::set<std::string> limits;
    const wire::Update told = InWorld(name)->resources;
    for (const wire::Resource& limit : told.resources()) {
      limits.insert(absl::StrCat(limit.name(), ":", limit.scalar().value()));
    }
    return absl::StrJoin(limits, ";");
  }

  std::string State(const std::string& id) {
    const auto found = agent_->Find(id);
    return found.ok() ? found->state : "unknown";
  }
  void RunUntilState(const std::string& id, const std::string& state) {
    ttrpc::RunUntil(*loop_, [&] { return State(id) == state; });
  }
  // Runs the loop until the exit of the container is acknowledged.
  void RunUntilAcknowledged(const std::string& id) {
    ttrpc::RunUntil(*loop_, [&] {
      return State(id) == "exited" && !InWorld(id).has_value();
    });
  }

  std::vector<KnownContainer> OnDisk() {
    const auto state = state::ReadAgentState(work_dir_->path());
    EXPECT_THAT(state, IsOk());
    return state.ok() ? state::KnownContainers(*state)
                      : std::vector<KnownContainer>();
  }

  bool HasEvent(const std::string& id, const std::string& detail) const {
    for (const ContainerEvent& event : events_) {
      if (event.container == id && absl::StrContains(event.detail, detail)) {
        return true;
      }
    }
    return false;
  }

  std::optional<state::TemporaryDirectory> work_dir_{std::in_place};
  Mischief mischief_;
  std::shared_ptr<OracleWorld> world_ = std::make_shared<OracleWorld>();
  std::shared_ptr<Script> script_;  // If set, it replaces the world.
  StandingAgent::Options options_;
  StandingAgentOptions::OnStarted on_started_;
  std::vector<ContainerEvent> events_;
  std::vector<ContainerId> event_ids_;
  std::unique_ptr<EventLoop> loop_;
  std::optional<absl::StatusOr<RecoverySummary>> summary_;
  std::unique_ptr<StandingAgent> agent_;
};

TEST_F(StandingAgentTest, AContainerIsFoundAgainAfterTheAgentWasKilled) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOkAndHolds("one"));
  EXPECT_THAT(StartAndRecover().recovered, ElementsAre("one"));
  EXPECT_EQ(State("one"), "running");
  const auto found = agent_->Find("one");
  ASSERT_THAT(found, IsOk());
  EXPECT_THAT(found->command, ElementsAre("sleep", "600"));
  EXPECT_THAT(InWorld(), ElementsAre(Pair("one", agent_->Find("one")->id)));
}

TEST_F(StandingAgentTest, AnEndWhileNoAgentWasThereIsReportedAsItWas) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  Kill();
  Exit("one", 7 << 8);
  StartAndRecover();
  EXPECT_EQ(ExitCode(Get(BeginWait("one"))), 7);
}

TEST_F(StandingAgentTest, HowItEndedIsKnownToTheNextAgentAndToTheOneAfter) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  const auto wait = BeginWait("one");
  Exit("one", 7 << 8);
  EXPECT_EQ(ExitCode(Get(wait)), 7);
  RunUntilAcknowledged("one");
  for (int i = 0; i < 2; ++i) {
    StartAndRecover();
    EXPECT_EQ(State("one"), "exited");
    EXPECT_EQ(ExitCode(Get(BeginWait("one"))), 7);
  }
}

TEST_F(StandingAgentTest, DestroyForgetsItWithItsSandbox) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  const std::string sandbox = agent_->Find("one")->sandbox;
  EXPECT_EQ(access(sandbox.c_str(), F_OK), 0);
  const auto wait = BeginWait("one");
  EXPECT_THAT(Get(BeginDestroy("one")), IsOk());
  EXPECT_THAT(Get(wait), IsOk());
  EXPECT_EQ(State("one"), "unknown");
  EXPECT_NE(access(sandbox.c_str(), F_OK), 0);
  EXPECT_THAT(world_->Containers(), IsEmpty());
  EXPECT_THAT(OnDisk(), IsEmpty());
  EXPECT_THAT(Get(BeginWait("one")), StatusIs(absl::StatusCode::kNotFound));
  // The name can be used again.
  EXPECT_THAT(Launch("one"), IsOk());
}

TEST_F(StandingAgentTest, DestroyOfWhatHasEndedTellsHowItEnded) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  Exit("one", 7 << 8);
  RunUntilAcknowledged("one");
  EXPECT_EQ(ExitCode(Get(BeginDestroy("one"))), 7);
  EXPECT_EQ(agent_->held(), 0u);
}

TEST_F(StandingAgentTest, ANameIsTakenUntilItIsDestroyed) {
  StartAndRecover();
  const auto first = BeginLaunch("one");
  EXPECT_THAT(Launch("one"), StatusIs(absl::StatusCode::kAlreadyExists,
                                      HasSubstr("choose another name")));
  EXPECT_THAT(Get(first), IsOk());
  Exit("one", 0);
  RunUntilAcknowledged("one");
  EXPECT_THAT(Launch("one"), StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(StandingAgentTest, ANameThatIsNoFilesNameIsRefused) {
  StartAndRecover();
  for (const char* id : {"..", "a/b", "-f", "latest"}) {
    EXPECT_THAT(Launch(id), StatusIs(absl::StatusCode::kInvalidArgument)) << id;
  }
  EXPECT_EQ(agent_->held(), 0u);
}

TEST_F(StandingAgentTest, WithoutANameOneIsMadeUp) {
  StartAndRecover();
  const auto a = Launch("");
  const auto b = Launch("");
  ASSERT_THAT(a, IsOk());
  ASSERT_THAT(b, IsOk());
  EXPECT_NE(*a, *b);
}

TEST_F(StandingAgentTest, ANameComesAgainAndAnIdDoesNot) {
  StartAndRecover();
  const auto first = Get(BeginLaunch("one"));
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(first->name, "one");
  EXPECT_THAT(first->id, SizeIs(36));
  EXPECT_THAT(InWorld(), ElementsAre(Pair("one", first->id)));
  EXPECT_THAT(Get(BeginDestroy("one")), IsOk());
  const auto second = Get(BeginLaunch("one"));
  ASSERT_THAT(second, IsOk());
  EXPECT_NE(first->id, second->id);
  EXPECT_THAT(StartAndRecover().recovered, ElementsAre("one"));
  EXPECT_EQ(agent_->Find("one")->id, second->id);
  // The second container has an id of its own.
  EXPECT_THAT(Get(BeginWait(first->id)), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(StandingAgentTest, AnIdIsAsGoodAsAName) {
  StartAndRecover();
  const auto one = Get(BeginLaunch("one"));
  ASSERT_THAT(one, IsOk());
  EXPECT_EQ(agent_->Find(one->id)->name, "one");
  EXPECT_THAT(Launch(one->id), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(Update(one->id, {Scalar("mem", 64)}), IsOk());
  const auto wait = BeginWait(one->id);
  EXPECT_THAT(Get(BeginDestroy(one->id)), IsOk());
  EXPECT_THAT(Get(wait), IsOk());
  EXPECT_EQ(State("one"), "unknown");
}

TEST_F(StandingAgentTest, EventsAndErrorsSpeakOfNames) {
  StartAndRecover();
  const auto one = Get(BeginLaunch("one"));
  ASSERT_THAT(one, IsOk());
  const auto destroy = BeginDestroy("one");
  EXPECT_THAT(Update("one", {Scalar("mem", 64)}),
              StatusIs(absl::StatusCode::kAborted,
                       AllOf(HasSubstr("\"one\""), Not(HasSubstr(one->id)))));
  EXPECT_THAT(Get(destroy), IsOk());
  const auto is_of_it = [&](size_t i) { return event_ids_[i] == one->id; };
  // Late events, after it is forgotten, have its name, too.
  ttrpc::RunUntil(*loop_, [&] {
    return !events_.empty() && is_of_it(events_.size() - 1) &&
           events_.back().state == ContainerState::kGone;
  });
  for (size_t i = 0; i < events_.size(); ++i) {
    EXPECT_EQ(events_[i].container, is_of_it(i) ? "one" : "");
  }
}

TEST_F(StandingAgentTest, AnUpdateLeavesAloneWhatItDoesNotName) {
  StartAndRecover();
  StandingAgent::LaunchSpec spec = Spec("one");
  spec.resources = {Scalar("cpus", 0.5), Scalar("mem", 64)};
  Waiting<Identity> launched;
  agent_->Launch(spec, launched.done());
  // An update may come before the container runs.
  EXPECT_THAT(Update("one", {Scalar("mem", 32)}), IsOk());
  EXPECT_EQ(Limits("one"), "cpus:0.5;mem:32");
  // The next agent knows the limits, too.
  StartAndRecover();
  EXPECT_THAT(Update("one", {Scalar("cpus", 2)}), IsOk());
  EXPECT_EQ(Limits("one"), "cpus:2;mem:32");
}

TEST_F(StandingAgentTest, UpdatesAtOnceAllHoldInTheirOrder) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  const auto a = BeginUpdate("one", {Scalar("cpus", 1)});
  const auto b = BeginUpdate("one", {Scalar("mem", 32), Scalar("disk", 7)});
  const auto c = BeginUpdate("one", {Scalar("mem", 64)});
  for (const auto& update : {a, b, c}) EXPECT_THAT(Get(update), IsOk());
  EXPECT_EQ(Limits("one"), "cpus:1;disk:7;mem:64");
}

TEST_F(StandingAgentTest, ALimitThatIsRemovedIsGone) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  ASSERT_THAT(Update("one", {Scalar("cpus", 1), Scalar("mem", 64)}), IsOk());
  EXPECT_THAT(Update("one", {}, {"mem"}), IsOk());
  EXPECT_EQ(Limits("one"), "cpus:1");
  EXPECT_THAT(Update("one", {Scalar("cpus", 2)}, {"mem"}),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("container \"one\": it has no limit on mem")));
  EXPECT_EQ(Limits("one"), "cpus:1");
  // The next agent does not know the limit either.
  StartAndRecover();
  EXPECT_THAT(Update("one", {Scalar("disk", 7)}), IsOk());
  EXPECT_EQ(Limits("one"), "cpus:1;disk:7");
}

TEST_F(StandingAgentTest, TwoPartialUpdatesAtOnceBothHold) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  ASSERT_THAT(Update("one", {Scalar("cpus", 1), Scalar("mem", 64)}), IsOk());
  // The first is under way when the others come; those are sent together.
  const auto first = BeginUpdate("one", {Scalar("disk", 7)});
  const auto removal = BeginUpdate("one", {}, {"mem"});
  const auto again = BeginUpdate("one", {Scalar("cpus", 9)}, {"mem"});
  const auto change = BeginUpdate("one", {Scalar("cpus", 2)});
  for (const auto& update : {first, removal, change}) {
    EXPECT_THAT(Get(update), IsOk());
  }
  EXPECT_THAT(Get(again), StatusIs(absl::StatusCode::kNotFound))
      << "it is gone by then";
  EXPECT_EQ(Limits("one"), "cpus:2;disk:7");
}

TEST_F(StandingAgentTest, AnUpdateThatFailsChangesNothingForTheNext) {
  script_ = std::make_shared<Script>();
  options_.containerizer.lifecycle.max_attempts = 1;
  ASSERT_THAT(Start(), IsOk());
  script_->Next(Command::kRecover)->Succeed();
  script_->Next(Command::kContainers)->Succeed(std::string());
  const auto launch = BeginLaunch("one");
  ttrpc::RunUntil(*loop_, [&] { return script_->HasCall(); });
  script_->Next(Command::kLaunch)->Succeed();
  EXPECT_THAT(Get(launch), IsOk());
  const auto cpus = BeginUpdate("one", {Scalar("cpus", 100)});
  script_->Next(Command::kUpdate)->Fail(absl::InternalError("too many"));
  EXPECT_THAT(Get(cpus), StatusIs(absl::StatusCode::kInternal));
  const auto mem = BeginUpdate("one", {Scalar("mem", 32)});
  const auto call = script_->Next(Command::kUpdate);
  wire::Update sent;
  ASSERT_TRUE(sent.ParseFromString(call->invocation().input));
  EXPECT_THAT(sent.resources(), SizeIs(1));
  call->Succeed();
  EXPECT_THAT(Get(mem), IsOk());
}

TEST_F(StandingAgentTest, WhatEarlierAgentsCalledByItsIdGoesOnByThatName) {
  StartAndRecover();
  Kill();
  const auto state = state::ReadAgentState(work_dir_->path());
  ASSERT_THAT(state, IsOk());
  const state::RunId run = {state->slave->id, kOwnFramework, "one", "one"};
  const auto writer = state::Writer::Open(work_dir_->path());
  wire::Launch launch;
  launch.mutable_container_id()->set_value("one");
  wire::ExecutorInfo& executor = *launch.mutable_executor_info();
  executor.mutable_executor_id()->set_value("one");
  executor.mutable_framework_id()->set_value(kOwnFramework);
  executor.mutable_command()->set_value("sleep");
  *executor.add_resources() = Scalar("cpus", 1);
  ASSERT_THAT((*writer)->RecordLaunch(run, executor), IsOk());
  ASSERT_THAT((*writer)->RecordLaunched(run), IsOk());
  Invocation invocation;
  invocation.command = Command::kLaunch;
  invocation.input = launch.SerializeAsString();
  (void)world_->Run(invocation);

  EXPECT_THAT(StartAndRecover().recovered, ElementsAre("one"));
  EXPECT_EQ(agent_->Find("one")->id, "one");
  EXPECT_THAT(Update("one", {Scalar("mem", 32)}), IsOk());
  EXPECT_EQ(Limits("one"), "cpus:1;mem:32");
  const auto wait = BeginWait("one");
  Exit("one", 7 << 8);
  EXPECT_EQ(ExitCode(Get(wait)), 7);
  RunUntilAcknowledged("one");
  EXPECT_EQ(ExitCode(Get(BeginDestroy("one"))), 7);
  EXPECT_THAT(OnDisk(), IsEmpty());
}

TEST_F(StandingAgentTest, OneThatWasToBeDestroyedIsDestroyedByTheNextAgent) {
  script_ = std::make_shared<Script>();
  ASSERT_THAT(Start(), IsOk());
  script_->Next(Command::kRecover)->Succeed();
  script_->Next(Command::kContainers)->Succeed(std::string());
  const auto launch = BeginLaunch("one");
  ttrpc::RunUntil(*loop_, [&] { return script_->HasCall(); });
  script_->Next(Command::kLaunch)->Succeed();
  EXPECT_THAT(Get(launch), IsOk());
  ASSERT_NE(NextCall(Command::kWait), nullptr);
  const auto destroy = BeginDestroy("one");
  ASSERT_NE(NextCall(Command::kDestroy), nullptr);
  // The program destroys it, and the agent is killed before it learns that.
  ASSERT_THAT(Start(), IsOk());
  EXPECT_EQ(State("one"), "destroying");
  const auto wait = BeginWait("one");
  script_->Next(Command::kRecover)->Succeed();
  script_->Next(Command::kContainers)->Succeed(std::string());
  script_->Next(Command::kDestroy)->Succeed();
  script_->Next(Command::kWait)->Fail(absl::InternalError("who is that?"));
  const auto end = Get(wait);
  ASSERT_THAT(end, IsOk());
  EXPECT_THAT(end->message(), HasSubstr("it was to be destroyed"));
  EXPECT_EQ(agent_->held(), 0u);
  EXPECT_THAT(OnDisk(), IsEmpty());
}

TEST_F(StandingAgentTest, AWaitThatFailsIsListedWhileItIsTriedAgain) {
  script_ = std::make_shared<Script>();
  ASSERT_THAT(Start(), IsOk());
  script_->Next(Command::kRecover)->Succeed();
  script_->Next(Command::kContainers)->Succeed(std::string());
  const auto launch = BeginLaunch("one");
  NextCall(Command::kLaunch)->Succeed();
  EXPECT_THAT(Get(launch), IsOk());
  const auto wait = BeginWait("one");
  NextCall(Command::kWait)->Fail(absl::DataLossError("this is no record"));
  ttrpc::RunUntil(*loop_, [&] { return agent_->Find("one")->problem != ""; });
  EXPECT_THAT(agent_->Find("one")->problem,
              AllOf(HasSubstr("wait fails"), HasSubstr("no record")));
  EXPECT_EQ(State("one"), "running");
  NextCall(Command::kWait)
      ->Succeed(wire::MakeTermination(7 << 8, "").SerializeAsString());
  EXPECT_EQ(ExitCode(Get(wait)), 7);
  ttrpc::RunUntil(*loop_, [&] { return agent_->Find("one")->problem == ""; });
}

TEST_F(StandingAgentTest, AnExitIsAcknowledgedToAProgramThatListsNothing) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  mischief_.KillAt(3, /*after_effect=*/true);  // termination: make … sync
  Exit("one", 7 << 8);
  ttrpc::RunUntil(*loop_, [&] { return mischief_.killed(); });
  mischief_.Release();
  script_ = std::make_shared<Script>();
  ASSERT_THAT(Start(), IsOk());
  EXPECT_EQ(State("one"), "exited");
  script_->Next(Command::kRecover)->Succeed();
  script_->Next(Command::kContainers)->Succeed(std::string());
  NextCall(Command::kDestroy)->Succeed();
  EXPECT_EQ(ExitCode(Get(BeginWait("one"))), 7);
}

TEST_F(StandingAgentTest, ATransportThatCannotBeMadeIsAnErrorAtOnce) {
  options_.containerizer.lifecycle.max_commands = 0;
  EXPECT_FALSE(Start().ok());
}

TEST_F(StandingAgentTest, AFailedLaunchLeavesNothing) {
  script_ = std::make_shared<Script>();
  ASSERT_THAT(Start(), IsOk());
  ttrpc::RunUntil(*loop_, [&] { return script_->HasCall(); });
  script_->Next(Command::kRecover)->Succeed();
  script_->Next(Command::kContainers)->Succeed(std::string());
  const auto launch = BeginLaunch("one");
  const auto wait = BeginWait("one");
  ttrpc::RunUntil(*loop_, [&] { return script_->HasCall(); });
  EXPECT_THAT(OnDisk(), SizeIs(1)) << "launched before that was written down";
  script_->Next(Command::kLaunch)->Fail(absl::InternalError("no such image"));
  // The launch may have left parts of a container.
  ttrpc::RunUntil(*loop_, [&] { return script_->HasCall(); });
  script_->Next(Command::kDestroy)->Succeed();
  EXPECT_THAT(Get(launch), StatusIs(absl::StatusCode::kInternal,
                                    HasSubstr("no such image")));
  EXPECT_THAT(Get(wait), StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(agent_->held(), 0u);
  EXPECT_THAT(OnDisk(), IsEmpty());
}

TEST_F(StandingAgentTest, ALaunchThatNobodyWasToldOfIsDestroyed) {
  script_ = std::make_shared<Script>();
  ASSERT_THAT(Start(), IsOk());
  script_->Next(Command::kRecover)->Succeed();
  script_->Next(Command::kContainers)->Succeed(std::string());
  const auto launch = BeginLaunch("one");
  ttrpc::RunUntil(*loop_, [&] { return script_->HasCall(); });
  // The program launches it, and the agent dies while it records that.
  mischief_.KillAt(0, /*after_effect=*/false);
  script_->Next(Command::kLaunch)->Succeed();
  ttrpc::RunUntil(*loop_, [&] { return mischief_.killed(); });
  EXPECT_FALSE(launch.is_over());
  script_->Next(Command::kWait);  // From the dead agent.
  mischief_.Release();
  ASSERT_THAT(Start(), IsOk());
  EXPECT_EQ(State("one"), "destroying");
  script_->Next(Command::kRecover)->Succeed();
  wire::Containers listed;
  listed.add_containers()->set_value(agent_->Find("one")->id);
  script_->Next(Command::kContainers)->Succeed(listed.SerializeAsString());
  script_->Next(Command::kDestroy)->Succeed();
  script_->Next(Command::kWait)
      ->Succeed(wire::MakeTermination(9, "").SerializeAsString());
  ttrpc::RunUntil(*loop_, [&] { return agent_->held() == 0; });
  EXPECT_THAT(OnDisk(), IsEmpty());
}

TEST_F(StandingAgentTest, DestroyDuringALaunchEndsBoth) {
  script_ = std::make_shared<Script>();
  ASSERT_THAT(Start(), IsOk());
  script_->Next(Command::kRecover)->Succeed();
  script_->Next(Command::kContainers)->Succeed(std::string());
  const auto launch = BeginLaunch("one");
  ttrpc::RunUntil(*loop_, [&] { return script_->HasCall(); });
  const auto call = script_->Next(Command::kLaunch);
  const auto destroy = BeginDestroy("one");
  EXPECT_EQ(State("one"), "destroying");
  call->Succeed();
  // The program is told to destroy it before it is asked how it ended.
  ttrpc::RunUntil(*loop_, [&] { return script_->HasCall(); });
  script_->Next(Command::kDestroy)->Succeed();
  script_->Next(Command::kWait)
      ->Succeed(wire::MakeTermination(9, "").SerializeAsString());
  EXPECT_THAT(Get(destroy), IsOk());
  EXPECT_THAT(Get(launch), StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(agent_->held(), 0u);
}

TEST_F(StandingAgentTest, AFullDiskRefusesALaunchAndLeavesNothing) {
  StartAndRecover();
  mischief_.Break("executor.info");
  EXPECT_THAT(Launch("one"), StatusIs(absl::StatusCode::kResourceExhausted,
                                      HasSubstr("no space left")));
  EXPECT_EQ(agent_->held(), 0u);
  EXPECT_THAT(world_->Containers(), IsEmpty());
  mischief_.Break("");
  EXPECT_THAT(Launch("one"), IsOk());
}

TEST_F(StandingAgentTest, ALaunchThatCannotBeRecordedAsDoneIsUndone) {
  StartAndRecover();
  mischief_.Break("runs/.latest");
  EXPECT_THAT(Launch("one"), StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(agent_->held(), 0u);
  EXPECT_THAT(world_->Containers(), IsEmpty());
}

TEST_F(StandingAgentTest, AnExitThatCannotBeRecordedIsNotAcknowledged) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  mischief_.Break("executor.termination");
  const auto wait = BeginWait("one");
  Exit("one", 7 << 8);
  EXPECT_EQ(ExitCode(Get(wait)), 7) << "who waits is told all the same";
  EXPECT_THAT(agent_->Find("one")->problem, HasSubstr("no space left"));
  EXPECT_TRUE(HasEvent("one", "could not be written down"));
  EXPECT_TRUE(InWorld("one").has_value());
  // An agent that is killed now loses nothing.
  StartAndRecover();
  EXPECT_EQ(ExitCode(Get(BeginWait("one"))), 7);
  // When the disk has room again, the exit is recorded.
  mischief_.Break("");
  RunUntilAcknowledged("one");
  EXPECT_EQ(agent_->Find("one")->problem, "");
}

TEST_F(StandingAgentTest, AnExitThatIsLateIsNotTheNextContainersOfThatName) {
  StartAndRecover();
  for (const char* id : {"one", "two"}) ASSERT_THAT(Launch(id), IsOk());
  mischief_.Break("executor.termination");
  const auto wait = BeginWait("one");
  Exit("one", 7 << 8);
  EXPECT_EQ(ExitCode(Get(wait)), 7);
  EXPECT_THAT(Get(BeginDestroy("one")), IsOk());
  ASSERT_THAT(Launch("one"), IsOk());
  // Every timer that the first container of that name may still have fires
  // before the second one retries.
  Exit("two", 0);
  ttrpc::RunUntil(*loop_, [&] {
    int tries = 0;
    for (const ContainerEvent& event : events_) {
      tries += event.container == "two" &&
               absl::StrContains(event.detail, "could not be written down");
    }
    return tries == 3;
  });
  mischief_.Break("");
  RunUntilAcknowledged("two");
  EXPECT_EQ(State("one"), "running");
  EXPECT_THAT(StartAndRecover().recovered, ElementsAre("one"));
}

TEST_F(StandingAgentTest, ASandboxThatIsInTheWayOfALaunchIsLeftAlone) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  const std::string file =
      absl::StrReplaceAll(agent_->Find("one")->sandbox,
                          {{"executors/one/", "executors/two/"}}) +
      "/file";
  state::WriteFile(file, "precious");
  EXPECT_THAT(Launch("two"), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_EQ(state::ReadFile(file), "precious");
  EXPECT_THAT(OnDisk(), SizeIs(1));
}

TEST_F(StandingAgentTest, AContainerWhoseSandboxIsGoneIsTakenBack) {
  StartAndRecover();
  ASSERT_THAT(Launch("removed"), IsOk());
  ASSERT_THAT(Launch("replaced"), IsOk());
  ASSERT_EQ(rmdir(agent_->Find("removed")->sandbox.c_str()), 0);
  const std::string sandbox = agent_->Find("replaced")->sandbox;
  ASSERT_EQ(rmdir(sandbox.c_str()), 0);
  state::WriteFile(sandbox, "no directory");
  EXPECT_THAT(StartAndRecover().recovered, ElementsAre("removed", "replaced"));
  EXPECT_THAT(Get(BeginDestroy("removed")), IsOk());
  EXPECT_THAT(Get(BeginDestroy("replaced")), IsOk());
}

TEST_F(StandingAgentTest, WaitsThatAreCancelledMakeRoom) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  for (int i = 0; i < 3000; ++i) {
    Waiting<wire::Termination> wait;
    const uint64_t number = agent_->Wait("one", wait.done());
    ASSERT_NE(number, 0u);
    agent_->CancelWait("one", number);
    ASSERT_THAT(Get(wait), StatusIs(absl::StatusCode::kCancelled));
  }
  const auto wait = BeginWait("one");
  Exit("one", 7 << 8);
  EXPECT_EQ(ExitCode(Get(wait)), 7);
}

TEST_F(StandingAgentTest, WhatEarlierAgentsKeptCountsToo) {
  StartAndRecover();
  time_t ended = 0;
  for (const char* id : {"c", "b", "a"}) {
    ASSERT_THAT(Launch(id), IsOk());
    Exit(id, 0);
    RunUntilAcknowledged(id);
    ++ended;
    // Waits until that is recorded.
    const std::string sentinel = absl::StrCat(
        *work_dir_ / "meta",
        absl::StripPrefix(agent_->Find(id)->sandbox, work_dir_->path()),
        "/executor.sentinel");
    ttrpc::RunUntil(*loop_,
                    [&] { return access(sentinel.c_str(), F_OK) == 0; });
    // The file system may give all three the same time.
    const timespec when = {ended, 0};
    const timespec times[] = {when, when};
    ASSERT_EQ(utimensat(AT_FDCWD, sentinel.c_str(), times, 0), 0);
  }
  options_.max_exited = 1;
  StartAndRecover();
  ttrpc::RunUntil(*loop_, [&] { return agent_->held() == 1; });
  EXPECT_EQ(State("a"), "exited") << "it was the last to end";
}

TEST_F(StandingAgentTest, AWaitForWhatCouldNeitherRunNorBeDestroyedIsAnswered) {
  script_ = std::make_shared<Script>();
  options_.containerizer.lifecycle.max_attempts = 1;
  ASSERT_THAT(Start(), IsOk());
  script_->Next(Command::kRecover)->Succeed();
  script_->Next(Command::kContainers)->Succeed(std::string());
  const auto launch = BeginLaunch("one");
  ttrpc::RunUntil(*loop_, [&] { return script_->HasCall(); });
  wire::Containers listed;
  listed.add_containers()->set_value(agent_->Find("one")->id);
  script_->Next(Command::kLaunch)->Fail(absl::InternalError("no such image"));
  // The Containerizer destroys it by itself, and then because the agent asks.
  for (int i = 0; i < 2; ++i) {
    ttrpc::RunUntil(*loop_,
                    [&] { return launch.is_over() || script_->HasCall(); });
    if (launch.is_over()) break;
    script_->Next(Command::kDestroy)->Fail(absl::InternalError("busy"));
    script_->Next(Command::kContainers)->Succeed(listed.SerializeAsString());
  }
  EXPECT_THAT(Get(launch), StatusIs(absl::StatusCode::kInternal,
                                    HasSubstr("no such image")));
  EXPECT_THAT(Get(BeginWait("one")), StatusIs(absl::StatusCode::kInternal,
                                              HasSubstr("no such image")));
}

// The program's `launch` exits with `code`, and the `destroy` after it ends
// with `destroyed`.
class RefusedLaunchTest : public StandingAgentTest {
 protected:
  absl::Status Launch(int code, const absl::Status& destroyed) {
    script_ = std::make_shared<Script>();
    options_.containerizer.lifecycle.max_attempts = 1;
    EXPECT_THAT(Start(), IsOk());
    script_->Next(Command::kRecover)->Succeed();
    script_->Next(Command::kContainers)->Succeed(std::string());
    const auto launch = BeginLaunch("one");
    ttrpc::RunUntil(*loop_, [&] { return script_->HasCall(); });
    wire::Containers listed;
    listed.add_containers()->set_value(agent_->Find("one")->id);
    Answer refused;
    refused.outcome = Outcome::kAnswered;
    refused.wait_status = code << 8;
    refused.status = absl::InternalError("no such command");
    script_->Next(Command::kLaunch)->End(refused);
    for (;;) {
      ttrpc::RunUntil(*loop_,
                      [&] { return launch.is_over() || script_->HasCall(); });
      if (launch.is_over()) break;
      const auto call = script_->Next();
      if (call->invocation().command == Command::kContainers) {
        call->Succeed(listed.SerializeAsString());
      } else if (destroyed.ok()) {
        call->Succeed();
      } else {
        call->Fail(destroyed);
      }
    }
    return Get(launch).status();
  }
};

TEST_F(RefusedLaunchTest, TellsTheExitCodeThatShellsHaveForIt) {
  for (const int code : {kCommandNotExecutable, kCommandNotFound}) {
    const absl::Status launch = Launch(code, absl::OkStatus());
    EXPECT_THAT(launch, StatusIs(absl::StatusCode::kInternal,
                                 HasSubstr("no such command")));
    EXPECT_EQ(ExitCodeOf(launch), code);
  }
  EXPECT_EQ(ExitCodeOf(Launch(3, absl::OkStatus())), std::nullopt);
}

TEST_F(RefusedLaunchTest, IsNoWordOfAProgramThatIsNotThereItself) {
  const absl::Status launch =
      Launch(kCommandNotFound, absl::InternalError("no such program"));
  EXPECT_THAT(launch, StatusIs(absl::StatusCode::kInternal));
  EXPECT_EQ(ExitCodeOf(launch), std::nullopt);
}

TEST_F(StandingAgentTest, APidThatCannotBeRecordedIsAnEvent) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  const Sandbox sandbox = *InWorld("one")->sandbox;
  on_started_(Command::kLaunch, sandbox, 4711);
  ttrpc::RunUntil(*loop_, [&] {
    const auto state = state::ReadAgentState(work_dir_->path());
    return state.ok() &&
           state->slave->frameworks[0].executors[0].runs[0].forked_pid ==
               pid_t{4711};
  });
  mischief_.Break("forked.pid");
  on_started_(Command::kLaunch, sandbox, 4712);
  ttrpc::RunUntil(*loop_, [&] { return HasEvent("one", "the pid of its"); });
  EXPECT_EQ(State("one"), "running");
}

TEST_F(StandingAgentTest, OfThoseThatHaveEndedOnlyTheLatestAreKept) {
  options_.max_exited = 2;
  StartAndRecover();
  for (const char* id : {"a", "b", "c", "d"}) {
    ASSERT_THAT(Launch(id), IsOk());
    Exit(id, 0);
    RunUntilAcknowledged(id);
  }
  ttrpc::RunUntil(*loop_, [&] { return agent_->held() == 2; });
  EXPECT_EQ(State("c"), "exited");
  EXPECT_EQ(State("d"), "exited");
  EXPECT_TRUE(HasEvent("a", "it is forgotten"));
  EXPECT_THAT(OnDisk(), SizeIs(2));
}

TEST_F(StandingAgentTest, ThereIsABoundOnContainers) {
  options_.max_containers = 2;
  StartAndRecover();
  EXPECT_THAT(Launch("a"), IsOk());
  EXPECT_THAT(Launch("b"), IsOk());
  EXPECT_THAT(Launch("c"), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(StandingAgentTest, StopLetsALaunchEndAndLeavesContainersAlone) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  const auto wait = BeginWait("one");
  const auto launch = BeginLaunch("two");
  bool stopped = false;
  agent_->Stop(absl::Minutes(1), [&] { stopped = true; });
  EXPECT_THAT(Get(wait), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(Launch("three"), StatusIs(absl::StatusCode::kUnavailable));
  ttrpc::RunUntil(*loop_, [&] { return stopped; });
  EXPECT_TRUE(launch.is_over());
  EXPECT_THAT(StartAndRecover().recovered, ElementsAre("one", "two"));
}

TEST_F(StandingAgentTest, StopDoesNotWaitForEver) {
  script_ = std::make_shared<Script>();
  ASSERT_THAT(Start(), IsOk());
  script_->Next(Command::kRecover)->Succeed();
  script_->Next(Command::kContainers)->Succeed(std::string());
  const auto launch = BeginLaunch("one");
  ttrpc::RunUntil(*loop_, [&] { return script_->HasCall(); });
  bool stopped = false;
  agent_->Stop(absl::Milliseconds(10), [&] { stopped = true; });
  ttrpc::RunUntil(*loop_, [&] { return stopped; });
  Kill();
  EXPECT_THAT(Get(launch), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(StandingAgentTest, WhenTheAgentIsGoneEveryCallHasEnded) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  const auto wait = BeginWait("one");
  Waiting<std::optional<wire::ResourceStatistics>> usage;
  agent_->Usage("one", usage.done());
  const auto destroy = BeginDestroy("one");
  Kill();
  EXPECT_FALSE(Get(wait).ok());
  EXPECT_FALSE(Get(destroy).ok());
  (void)Get(usage);
}

TEST_F(StandingAgentTest, ADestroyThatFailsIsReportedAndCanBeAskedForAgain) {
  script_ = std::make_shared<Script>();
  options_.containerizer.lifecycle.max_attempts = 1;
  ASSERT_THAT(Start(), IsOk());
  script_->Next(Command::kRecover)->Succeed();
  script_->Next(Command::kContainers)->Succeed(std::string());
  const auto launch = BeginLaunch("one");
  ttrpc::RunUntil(*loop_, [&] { return script_->HasCall(); });
  script_->Next(Command::kLaunch)->Succeed();
  EXPECT_THAT(Get(launch), IsOk());
  auto destroy = BeginDestroy("one");
  NextCall(Command::kDestroy)->Fail(absl::InternalError("busy"));
  wire::Containers listed;
  listed.add_containers()->set_value(agent_->Find("one")->id);
  script_->Next(Command::kContainers)->Succeed(listed.SerializeAsString());
  EXPECT_THAT(Get(destroy),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("busy")));
  EXPECT_THAT(agent_->Find("one")->problem, HasSubstr("busy"));
  destroy = BeginDestroy("one");
  script_->Next(Command::kDestroy)->Succeed();
  script_->Next(Command::kWait)
      ->Succeed(wire::MakeTermination(9, "").SerializeAsString());
  EXPECT_THAT(Get(destroy), IsOk());
  EXPECT_EQ(agent_->held(), 0u);
}

TEST_F(StandingAgentTest, ARecoveryThatFailsIsReportedAndLosesNothing) {
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  script_ = std::make_shared<Script>();
  options_.containerizer.lifecycle.max_attempts = 1;
  ASSERT_THAT(Start(), IsOk());
  script_->Next(Command::kRecover)->Fail(absl::InternalError("on strike"));
  ttrpc::RunUntil(*loop_, [&] { return summary_.has_value(); });
  EXPECT_THAT(*summary_,
              StatusIs(absl::StatusCode::kInternal, HasSubstr("on strike")));
  EXPECT_EQ(State("one"), "running");
  script_.reset();
  EXPECT_THAT(StartAndRecover().recovered, ElementsAre("one"));
}

TEST_F(StandingAgentTest, OneThatIsOnlyReportedCanBeDestroyed) {
  // The container of another agent.
  StartAndRecover();
  ASSERT_THAT(Launch("one"), IsOk());
  const ContainerId id = agent_->Find("one")->id;
  Kill();
  state::TemporaryDirectory other;
  options_.containerizer.lifecycle.orphans = OrphanPolicy::kReport;
  ASSERT_EQ(rename((*work_dir_ / "meta").c_str(), (other / "meta").c_str()), 0);
  EXPECT_THAT(StartAndRecover().surviving, ElementsAre(id));
  EXPECT_EQ(State("one"), "unknown");
  EXPECT_THAT(Get(BeginDestroy(id)), IsOk());
  EXPECT_THAT(world_->Containers(), IsEmpty());
}

TEST_F(StandingAgentTest, ListComesInPages) {
  StartAndRecover();
  for (const char* id : {"a", "b", "c"}) ASSERT_THAT(Launch(id), IsOk());
  const auto first = agent_->List("", 2);
  ASSERT_THAT(first, SizeIs(2));
  const auto second = agent_->List(first[1].name, 2);
  ASSERT_THAT(second, SizeIs(1));
  EXPECT_EQ(second[0].name, "c");
}

// Two containers live and end while the agent is killed during a change of a
// file, for each change in turn; the next agent goes on.
class KilledInEachWrite : public StandingAgentTest {
 protected:
  // Returns whether the agent was killed before all was over.
  bool Live(int kill_at, bool after_effect) {
    mischief_.KillAt(kill_at, after_effect);
    const auto one = BeginLaunch("one");
    if (RunUntilOrKilled([&] { return one.is_over(); })) return true;
    told_ = true;
    const auto wait = BeginWait("one");
    Exit("one", 7 << 8);
    if (RunUntilOrKilled(
            [&] { return wait.is_over() && !InWorld("one").has_value(); })) {
      return true;
    }
    const auto two = BeginLaunch("two");
    if (RunUntilOrKilled([&] { return two.is_over(); })) return true;
    told_two_ = true;
    const auto destroy = BeginDestroy("two");
    asked_ = true;
    return RunUntilOrKilled([&] { return destroy.is_over(); });
  }

  bool RunUntilOrKilled(const std::function<bool()>& over) {
    ttrpc::RunUntil(*loop_, [&] { return mischief_.killed() || over(); });
    return mischief_.killed();
  }

  bool told_ = false;      // "one" was reported to run.
  bool told_two_ = false;  // "two" was reported to run.
  bool asked_ = false;     // The destroy of "two" was asked for.
};

TEST_F(KilledInEachWrite, TheNextAgentKnowsWhatTheLastOnePromised) {
  size_t kills = 0;
  for (const bool after_effect : {false, true}) {
    for (int kill_at = 0;; ++kill_at) {
      SCOPED_TRACE(absl::StrCat("killed in change ", kill_at,
                                after_effect ? ", after it" : ", before it"));
      told_ = told_two_ = asked_ = false;
      world_ = std::make_shared<OracleWorld>();
      Kill();
      work_dir_.emplace();
      StartAndRecover();
      const bool killed = Live(kill_at, after_effect);
      // This comes before any callback on the loop: a killed agent does nothing
      // more.
      mischief_.Release();
      Kill();
      StartAndRecover();
      ttrpc::RunUntil(*loop_, [&] {
        return State("one") != "destroying" && State("two") != "destroying";
      });
      // A client that was told that it runs can learn how it ended.
      if (told_) {
        EXPECT_EQ(ExitCode(Get(BeginWait("one"))), 7);
        RunUntilAcknowledged("one");
      } else if (State("one") == "unknown") {
        EXPECT_FALSE(InWorld("one").has_value());
      } else {
        EXPECT_EQ(State("one"), "running");
        EXPECT_TRUE(InWorld("one").has_value());
      }
      EXPECT_TRUE(!told_two_ || asked_ || State("two") == "running");
      if (State("two") == "unknown") {
        EXPECT_FALSE(InWorld("two").has_value());
      } else if (State("two") == "running") {
        EXPECT_TRUE(InWorld("two").has_value());
      }
      if (HasFailure()) return;
      if (!killed) break;
      ++kills;
    }
  }
  EXPECT_GT(kills, 60u);
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/held_container.h"

#include <string>

#include "absl/status/status.h"
#include "external_containerizer/state/known_containers.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

state::RunState RunOf(const std::string& id) {
  state::RunState run;
  run.id = id;
  return run;
}

// Returns a state with one executor, which has these runs.
state::AgentState StateWith(std::vector<state::RunState> runs,
                            std::optional<std::string> latest) {
  state::ExecutorState executor;
  executor.id = "executor";
  executor.latest = std::move(latest);
  executor.runs = std::move(runs);
  state::FrameworkState framework;
  framework.id = "framework";
  framework.executors.push_back(std::move(executor));
  state::AgentState state;
  state.work_dir = "/w";
  state.slave.emplace();
  state.slave->id = "agent-1";
  state.slave->frameworks.push_back(std::move(framework));
  return state;
}

TEST(HeldContainersTest, TheLatestRunIsRunning) {
  const auto held = HeldContainers(StateWith({RunOf("one")}, "one"));
  ASSERT_THAT(held, SizeIs(1));
  EXPECT_STREQ(held.at("one")->StateName(), "running");
  EXPECT_EQ(NextStep(held.at("one")->progress), AgentStep::kWait);
}

TEST(HeldContainersTest, ARunThatWasNeverAcknowledgedIsToBeDestroyed) {
  const auto held = HeldContainers(StateWith({RunOf("one")}, std::nullopt));
  ASSERT_THAT(held, SizeIs(1));
  EXPECT_STREQ(held.at("one")->StateName(), "destroying");
  EXPECT_EQ(NextStep(held.at("one")->progress), AgentStep::kDestroy);
  EXPECT_FALSE(held.at("one")->launch_error.ok());
}

TEST(HeldContainersTest, AnExitThatIsRecordedIsToBeAcknowledged) {
  state::RunState run = RunOf("one");
  run.termination.emplace();
  const auto held = HeldContainers(StateWith({run}, "one"));
  ASSERT_THAT(held, SizeIs(1));
  EXPECT_STREQ(held.at("one")->StateName(), "exited");
  EXPECT_EQ(NextStep(held.at("one")->progress), AgentStep::kDestroy);
}

TEST(HeldContainersTest, OneThatIsDoneWithIsKeptForHowItEnded) {
  state::RunState run = RunOf("one");
  run.completed = true;
  EXPECT_THAT(HeldContainers(StateWith({run}, "one")), IsEmpty());
  run.termination.emplace();
  const auto held = HeldContainers(StateWith({run}, "one"));
  ASSERT_THAT(held, SizeIs(1));
  EXPECT_EQ(NextStep(held.at("one")->progress), AgentStep::kNone);
}

TEST(HeldContainersTest, ContainersOfTheAgentAreCalledByTheirExecutors) {
  state::AgentState state = StateWith({RunOf("an id")}, "an id");
  state.slave->frameworks[0].id = kOwnFramework;
  const auto held = HeldContainers(state);
  ASSERT_EQ(held.count("executor"), 1u);
  EXPECT_EQ(held.at("executor")->id(), "an id");
}

TEST(HeldContainersTest, OneThatWasToBeDestroyedIsToBeDestroyed) {
  state::RunState run = RunOf("one");
  run.unwanted = true;
  const auto held = HeldContainers(StateWith({run}, "one"));
  EXPECT_STREQ(held.at("one")->StateName(), "destroying");
  EXPECT_EQ(NextStep(held.at("one")->progress), AgentStep::kDestroy);
}

TEST(HeldContainersTest, WhatIsRunningForRecoveryIsRunningHere) {
  // Two executors have the same container id.
  state::AgentState state = StateWith({RunOf("one"), RunOf("two")}, "two");
  state::RunState done = RunOf("two");
  done.completed = true;
  done.termination.emplace();
  state::ExecutorState other;
  other.id = "other";
  other.runs = {done, RunOf("one")};
  other.latest = "one";
  state.slave->frameworks[0].executors.push_back(other);
  const auto held = HeldContainers(state);
  for (const KnownContainer& known : state::KnownContainers(state)) {
    ASSERT_EQ(held.count(known.id), 1u) << known.id;
    EXPECT_STREQ(held.at(known.id)->StateName(),
                 known.state == KnownContainer::State::kRunning ? "running"
                                                                : "destroying")
        << known.id;
    EXPECT_EQ(known.sandbox->path, state::RunPath(held.at(known.id)->run));
  }
}

TEST(HeldContainersTest, AnIdThatNoProgramCouldBeGivenIsLeftOut) {
  EXPECT_THAT(HeldContainers(StateWith({RunOf("-rf")}, "-rf")), IsEmpty());
}

TEST(ExecutorsWithoutRunsTest, OnlyOwnOnesAreFound) {
  state::AgentState state = StateWith({}, std::nullopt);
  EXPECT_THAT(ExecutorsWithoutRuns(state), IsEmpty());
  state.slave->frameworks[0].id = kOwnFramework;
  EXPECT_THAT(ExecutorsWithoutRuns(state), ElementsAre("executor"));
  state.slave->frameworks[0].executors[0].runs = {RunOf("one")};
  EXPECT_THAT(ExecutorsWithoutRuns(state), IsEmpty());
}

TEST(SetAsideDamagedTest, WhatRunsAnExecutorHasMustBeKnown) {
  const std::string executor =
      "meta/slaves/agent-1/frameworks/framework/executors/executor";
  for (const char* path : {"", "/runs", "/runs/latest"}) {
    state::AgentState state = StateWith({RunOf("one")}, "one");
    state.problems.push_back(
        {state::Problem::Kind::kDamage, executor + path, "unreadable"});
    EXPECT_THAT(SetAsideDamaged(state), ElementsAre("executor")) << path;
    EXPECT_THAT(HeldContainers(state), IsEmpty()) << path;
  }
  // Damage in another of its files does not set it aside.
  for (const char* path : {"/executor.info", "/runs/one/pids/forked.pid"}) {
    state::AgentState state = StateWith({RunOf("one")}, "one");
    state.problems.push_back(
        {state::Problem::Kind::kDamage, executor + path, "unreadable"});
    EXPECT_THAT(SetAsideDamaged(state), IsEmpty()) << path;
  }
}

wire::Resource Of(const std::string& name, double value) {
  wire::Resource resource;
  resource.set_name(name);
  resource.mutable_scalar()->set_value(value);
  return resource;
}

TEST(ApplyChangeTest, WhatIsSetIsReplacedAsAWhole) {
  const auto changed =
      ApplyChange({Of("cpus", 1), Of("mem", 64), Of("cpus", 2)},
                  {{Of("cpus", 4), Of("disk", 7)}, {}});
  ASSERT_THAT(changed, IsOkAndHolds(SizeIs(3)));
  EXPECT_EQ((*changed)[0].name(), "mem");
  EXPECT_EQ((*changed)[1].scalar().value(), 4);
  EXPECT_EQ((*changed)[2].name(), "disk");
}

TEST(ApplyChangeTest, WhatIsRemovedIsGoneUnlessItIsSetToo) {
  const Resources all = {Of("cpus", 1), Of("mem", 64)};
  auto changed = ApplyChange(all, {{}, {"mem"}});
  ASSERT_THAT(changed, IsOkAndHolds(SizeIs(1)));
  EXPECT_EQ((*changed)[0].name(), "cpus");
  changed = ApplyChange(all, {{Of("mem", 32)}, {"mem", "cpus"}});
  ASSERT_THAT(changed, IsOkAndHolds(SizeIs(1)));
  EXPECT_EQ((*changed)[0].scalar().value(), 32);
}

TEST(ApplyChangeTest, WhatIsNotThereCannotBeRemoved) {
  EXPECT_THAT(ApplyChange({Of("cpus", 1)}, {{Of("cpus", 2)}, {"memory"}}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("memory")));
}

TEST(WithNameTest, OnlyTheContainerIsCalledByItsName) {
  const absl::Status status =
      absl::InternalError("container \"1-2\": cannot open /w/runs/1-2/stderr");
  EXPECT_EQ(WithName({"web", "1-2"}, status).message(),
            "container \"web\": cannot open /w/runs/1-2/stderr");
  EXPECT_EQ(WithName({"web", "1-2"}, absl::OkStatus()), absl::OkStatus());
}

TEST(ShortEndTest, AnEndThatIsTooLongIsCut) {
  wire::Termination end;
  end.set_status(7 << 8);
  end.set_message("short");
  EXPECT_EQ(ShortEnd(end).SerializeAsString(), end.SerializeAsString());
  end.set_message(std::string(1 << 20, 'x'));
  EXPECT_LT(ShortEnd(end).ByteSizeLong(), 10'000u);
  EXPECT_EQ(ShortEnd(end).status(), 7 << 8);
  end.GetReflection()->MutableUnknownFields(&end)->AddLengthDelimited(
      1000, std::string(1 << 20, 'x'));
  EXPECT_LT(ShortEnd(end).ByteSizeLong(), 10'000u);
}

TEST(ShortCommandTest, ACommandIsWhatIsExecutedAndNotTooLong) {
  wire::CommandInfo command;
  command.set_value("sleep");
  command.set_shell(false);
  EXPECT_THAT(ShortCommand(command), ElementsAre("sleep"));
  command.add_arguments("sleep");
  command.add_arguments("600");
  EXPECT_THAT(ShortCommand(command), ElementsAre("sleep", "600"));
  command.set_shell(true);
  EXPECT_THAT(ShortCommand(command), ElementsAre("sh", "-c", "sleep"));
  command.set_shell(false);
  command.add_arguments(std::string(1000, 'x'));
  command.add_arguments("more");
  EXPECT_THAT(ShortCommand(command),
              ElementsAre("sleep", "600", std::string(192, 'x') + "..."));
}

}  // namespace
}  // namespace external_containerizer

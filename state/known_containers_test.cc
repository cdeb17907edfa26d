// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/known_containers.h"

#include <string>
#include <vector>

#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/state/agent_state.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using State = KnownContainer::State;

RunState ARun(const std::string& id) {
  RunState run;
  run.id = id;
  return run;
}

AgentState StateWith(std::vector<RunState> runs, const std::string& latest) {
  AgentState state;
  state.work_dir = "/w";
  FrameworkState framework;
  framework.id = "F";
  ExecutorState executor;
  executor.id = "E";
  executor.runs = std::move(runs);
  if (!latest.empty()) executor.latest = latest;
  framework.executors.push_back(std::move(executor));
  state.slave.emplace();
  state.slave->id = "S";
  state.slave->frameworks.push_back(std::move(framework));
  return state;
}

std::vector<std::pair<std::string, State>> States(const AgentState& state) {
  std::vector<std::pair<std::string, State>> states;
  for (const KnownContainer& container : KnownContainers(state)) {
    states.emplace_back(container.id, container.state);
  }
  return states;
}

TEST(KnownContainersTest, TheLatestRunRuns) {
  EXPECT_THAT(States(StateWith({ARun("1"), ARun("2")}, "2")),
              ElementsAre(Pair("1", State::kUnacknowledged),
                          Pair("2", State::kRunning)));
}

TEST(KnownContainersTest, ARunWithASentinelOrATerminationIsCompleted) {
  RunState sentinel = ARun("1");
  sentinel.completed = true;
  RunState ended = ARun("2");
  ended.termination.emplace();
  EXPECT_THAT(
      States(StateWith({sentinel, ended}, "2")),
      ElementsAre(Pair("1", State::kCompleted), Pair("2", State::kCompleted)));
}

TEST(KnownContainersTest, WithoutALatestRunNoneWasAcknowledged) {
  EXPECT_THAT(States(StateWith({ARun("1")}, "")),
              ElementsAre(Pair("1", State::kUnacknowledged)));
}

TEST(KnownContainersTest, ASandboxLiesWhereMesosHasIt) {
  const auto known = KnownContainers(StateWith({ARun("1")}, "1"));
  ASSERT_EQ(known.size(), 1u);
  ASSERT_TRUE(known[0].sandbox.has_value());
  EXPECT_EQ(known[0].sandbox->FullPath(),
            "/w/slaves/S/frameworks/F/executors/E/runs/1");
  EXPECT_FALSE(known[0].sandbox->owner.has_value());
}

TEST(KnownContainersTest, AnIdThatNoProgramCanTakeIsLeftOut) {
  EXPECT_THAT(States(StateWith({ARun("-rf"), ARun("a\nb"), ARun("1")}, "1")),
              ElementsAre(Pair("1", State::kRunning)));
}

TEST(KnownContainersTest, OfRunsWithTheSameIdTheOneThatRunsCounts) {
  RunState completed = ARun("1");
  completed.completed = true;
  AgentState state = StateWith({completed}, "1");
  const AgentState running = StateWith({ARun("1")}, "1");
  state.slave->frameworks.push_back(running.slave->frameworks[0]);
  state.slave->frameworks.push_back(state.slave->frameworks[0]);
  EXPECT_THAT(States(state), ElementsAre(Pair("1", State::kRunning)));
}

TEST(KnownContainersTest, EachContainerIsNamedOnce) {
  AgentState state = StateWith({ARun("1")}, "1");
  state.slave->frameworks.push_back(state.slave->frameworks[0]);
  EXPECT_THAT(States(state), ElementsAre(Pair("1", State::kRunning)));
}

TEST(KnownContainersTest, NoAgentKnowsNoContainers) {
  EXPECT_THAT(KnownContainers(AgentState()), IsEmpty());
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer

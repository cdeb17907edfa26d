// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Walks through everything that can happen to one container: each step succeeds
// or fails, the container ends, somebody destroys it, and the agent is killed
// at any moment, also between the moment at which a step has had its effect and
// the one at which the agent learns of it.

#include "external_containerizer/containerizer/agent/serve/next_step.h"

#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "external_containerizer/containerizer/agent/serve/held_container.h"
#include "external_containerizer/state/agent_state.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

constexpr char kId[] = "one";

// What is on the disk.
struct Disk {
  bool run = false;
  bool latest = false;
  bool exit = false;
  bool completed = false;
  bool unwanted = false;
};

enum class InProgram { kNothing, kRuns, kHasEnded };

struct World {
  bool alive = true;  // The agent.
  bool held = true;   // By the agent.
  Progress progress;
  Disk disk;
  InProgram program = InProgram::kNothing;
  AgentStep writing = AgentStep::kNone;  // What the disk is at.
  int launches = 0;
  bool told_that_it_runs = false;
  bool asked_to_destroy = false;
  bool unwanted_lost = false;  // That could not be written down.

  std::string Key() const {
    const Progress& p = progress;
    std::vector<int> key = {alive, held};
    for (const bool bit : {p.launch_recorded,
                           p.launched,
                           p.launched_recorded,
                           p.exited,
                           p.exit_recorded,
                           p.destroyed,
                           p.completed_recorded,
                           p.launch_failed,
                           p.unwanted,
                           p.unwanted_recorded,
                           p.forgotten,
                           p.writing,
                           p.launching,
                           p.waiting,
                           p.destroying,
                           p.exit_record_failed,
                           p.destroy_failed,
                           p.forget_failed,
                           disk.run,
                           disk.latest,
                           disk.exit,
                           disk.completed,
                           disk.unwanted,
                           told_that_it_runs,
                           asked_to_destroy,
                           unwanted_lost}) {
      key.push_back(bit);
    }
    key.push_back(static_cast<int>(program));
    key.push_back(static_cast<int>(writing));
    key.push_back(launches);
    return absl::StrJoin(key, ",");
  }
};

state::AgentState StateOf(const Disk& disk) {
  state::AgentState state;
  state.slave.emplace();
  state.slave->id = "agent-1";
  if (!disk.run) return state;
  state::RunState run;
  run.id = kId;
  run.completed = disk.completed;
  run.unwanted = disk.unwanted;
  if (disk.exit) run.termination.emplace();
  state::ExecutorState executor;
  executor.id = kId;
  if (disk.latest) executor.latest = kId;
  executor.runs.push_back(run);
  state::FrameworkState framework;
  framework.id = kOwnFramework;
  framework.executors.push_back(executor);
  state.slave->frameworks.push_back(framework);
  return state;
}

using Moves = std::vector<std::pair<std::string, World>>;

// Begins all steps that can begin now, as the agent does.
void Advance(World& world) {
  Progress& p = world.progress;
  for (;;) {
    const AgentStep step = NextStep(p);
    switch (step) {
      case AgentStep::kNone:
        return;
      case AgentStep::kLaunch:
        ASSERT_TRUE(world.disk.run) << "launched before that is recorded";
        ASSERT_EQ(++world.launches, 1) << "launched twice";
        p.launching = true;
        break;
      case AgentStep::kWait:
        ASSERT_TRUE(world.disk.latest);
        p.waiting = true;
        break;
      case AgentStep::kDestroy:
        ASSERT_TRUE(world.disk.exit || p.launch_failed || p.unwanted)
            << "an exit is acknowledged before it is recorded";
        ASSERT_TRUE(!p.launch_failed || !world.told_that_it_runs)
            << "destroyed as if its launch had failed";
        p.destroying = true;
        break;
      default:
        ASSERT_TRUE(world.held) << "writes of what is forgotten";
        ASSERT_EQ(world.writing, AgentStep::kNone);
        world.writing = step;
        p.writing = true;
        break;
    }
  }
}

void WriteHasEffect(World& world) {
  switch (world.writing) {
    case AgentStep::kRecordLaunch:
      world.disk.run = true;
      break;
    case AgentStep::kRecordLaunched:
      world.disk.latest = true;
      break;
    case AgentStep::kRecordExit:
      world.disk.exit = true;
      break;
    case AgentStep::kRecordUnwanted:
      world.disk.unwanted = true;
      break;
    case AgentStep::kRecordCompleted:
      world.disk.completed = true;
      break;
    case AgentStep::kForget:
      world.disk = Disk();
      break;
    default:
      break;
  }
}

void WriteEnds(World& world, bool ok) {
  Progress& p = world.progress;
  p.writing = false;
  switch (std::exchange(world.writing, AgentStep::kNone)) {
    case AgentStep::kRecordLaunch:
      (ok ? p.launch_recorded : p.launch_failed) = true;
      break;
    case AgentStep::kRecordLaunched:
      (ok ? p.launched_recorded : p.launch_failed) = true;
      if (ok) world.told_that_it_runs = true;
      break;
    case AgentStep::kRecordExit:
      (ok ? p.exit_recorded : p.exit_record_failed) = true;
      break;
    case AgentStep::kRecordUnwanted:
      p.unwanted_recorded = true;
      world.unwanted_lost |= !ok;
      break;
    case AgentStep::kRecordCompleted:
      p.completed_recorded = true;
      break;
    case AgentStep::kForget:
      world.held = !ok;
      (ok ? p.forgotten : p.forget_failed) = true;
      break;
    default:
      break;
  }
}

void AddMoves(const World& world, Moves& moves) {
  const auto add = [&](const std::string& name, World next) {
    if (next.alive) Advance(next);
    moves.emplace_back(name, std::move(next));
  };
  const Progress& p = world.progress;
  // Outside.
  if (world.program == InProgram::kRuns) {
    World next = world;
    next.program = InProgram::kHasEnded;
    add("it ends", next);
  }
  if (!world.alive) {
    World next = world;
    next.alive = true;
    next.progress = Progress();
    next.writing = AgentStep::kNone;
    const auto held = HeldContainers(StateOf(world.disk));
    next.held = held.count(kId) > 0;
    if (next.held) next.progress = held.at(kId)->progress;
    next.progress.forgotten = !next.held;
    add("an agent starts", next);
    return;
  }
  {
    World next = world;
    next.alive = false;
    add("the agent is killed", next);
  }
  if (world.writing != AgentStep::kNone) {
    World next = world;
    WriteHasEffect(next);
    World killed = next;
    killed.alive = false;
    add("written, and the agent is killed", killed);
    WriteEnds(next, true);
    add("written", next);
    World failed = world;
    WriteEnds(failed, false);
    add("writing fails", failed);
    // An error after the effect: an fsync of the directory that failed.
    World unknown = world;
    WriteHasEffect(unknown);
    WriteEnds(unknown, false);
    add("writing fails, and has happened", unknown);
  }
  if (p.launching) {
    World next = world;
    next.program = InProgram::kRuns;
    World killed = next;
    killed.alive = false;
    add("launched, and the agent is killed", killed);
    next.progress.launching = false;
    World cancelled = next;
    cancelled.progress.launch_failed = true;
    add("launched, but told to fail", cancelled);
    next.progress.launched = true;
    add("launched", next);
    World failed = world;
    failed.progress.launching = false;
    failed.progress.launch_failed = true;
    add("launch fails", failed);
  }
  if (p.waiting && !p.exited && world.program == InProgram::kHasEnded) {
    World next = world;
    next.progress.exited = true;
    add("wait answers", next);
  }
  // The containerizer sees to it that a launch ends first.
  if (p.destroying && !p.launching) {
    World next = world;
    next.program = InProgram::kNothing;
    World killed = next;
    killed.alive = false;
    add("destroyed, and the agent is killed", killed);
    next.progress.destroying = false;
    next.progress.destroyed = next.progress.exited = true;
    add("destroyed", next);
    World failed = world;
    failed.progress.destroying = false;
    failed.progress.destroy_failed = true;
    add("destroy fails", failed);
  }
  if (p.exit_record_failed) {
    World next = world;
    next.progress.exit_record_failed = false;
    add("time passes", next);
  }
  if (world.held) {
    World next = world;
    next.asked_to_destroy = true;
    next.progress.unwanted = true;
    next.progress.destroy_failed = next.progress.forget_failed = false;
    add("somebody destroys it", next);
  }
}

// Nothing is under way in it.
bool IsQuiet(const World& world) {
  const Progress& p = world.progress;
  return world.alive && !p.writing && !p.launching && !p.destroying;
}

void CheckQuiet(const World& world) {
  const Progress& p = world.progress;
  if (!world.held) {
    EXPECT_EQ(world.program, InProgram::kNothing)
        << "it is forgotten, and the program still has it";
    EXPECT_FALSE(world.disk.run);
    return;
  }
  if (p.exit_record_failed || p.destroy_failed || p.forget_failed) return;
  if (p.destroyed) {
    EXPECT_TRUE(p.exit_recorded && p.completed_recorded)
        << "it is over, and how it ended is not on the disk";
    EXPECT_TRUE(world.disk.exit);
    EXPECT_EQ(world.program, InProgram::kNothing);
    return;
  }
  EXPECT_TRUE(p.waiting && p.launched_recorded && !p.exited)
      << "nothing is done for it any more";
  EXPECT_TRUE(world.disk.run && world.disk.latest);
}

TEST(NextStepTest, WhateverHappensNothingIsLostOrDoneTwice) {
  World first;
  Advance(first);
  std::map<std::string, std::string> seen = {{first.Key(), "launch is asked"}};
  std::deque<World> open = {first};
  size_t quiet = 0;
  while (!open.empty() && !testing::Test::HasFailure()) {
    const World world = open.front();
    open.pop_front();
    const std::string path = seen.at(world.Key());
    SCOPED_TRACE(path);
    if (IsQuiet(world)) {
      ++quiet;
      CheckQuiet(world);
    }
    // Whom we told that it runs never finds that it was forgotten unless
    // somebody destroyed it.
    if (world.told_that_it_runs && !world.asked_to_destroy) {
      EXPECT_TRUE(world.held);
      EXPECT_FALSE(world.progress.launch_failed);
      EXPECT_TRUE(world.program != InProgram::kNothing || world.disk.exit)
          << "how it ended is lost";
    }
    // Nor is one that was destroyed ever taken for one that ended by itself.
    if (world.program == InProgram::kNothing && world.disk.latest &&
        !world.disk.exit) {
      EXPECT_TRUE(world.disk.unwanted || world.unwanted_lost)
          << "the next agent does not know that it was to be destroyed";
    }
    Moves moves;
    AddMoves(world, moves);
    for (auto& [name, next] : moves) {
      if (seen.emplace(next.Key(), absl::StrCat(path, "; ", name)).second) {
        open.push_back(std::move(next));
      }
    }
  }
  EXPECT_GT(seen.size(), 500u);
  EXPECT_GT(quiet, 20u);
}

TEST(NextStepTest, ALaunchIsRecordedThenDoneThenRecordedAsDone) {
  Progress progress;
  EXPECT_EQ(NextStep(progress), AgentStep::kRecordLaunch);
  progress.launch_recorded = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kLaunch);
  progress.launched = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kRecordLaunched);
  progress.launched_recorded = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kWait);
}

TEST(NextStepTest, AnExitIsRecordedBeforeItIsAcknowledged) {
  Progress progress;
  progress.launch_recorded = progress.launched = progress.launched_recorded =
      progress.waiting = progress.exited = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kRecordExit);
  progress.exit_record_failed = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kNone);
  progress.exit_record_failed = false;
  progress.exit_recorded = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kDestroy);
  progress.destroyed = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kRecordCompleted);
  progress.completed_recorded = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kNone);
}

TEST(NextStepTest, AFullDiskDoesNotKeepSomebodyFromDestroying) {
  Progress progress;
  progress.launch_recorded = progress.launched = progress.launched_recorded =
      progress.waiting = progress.exited = progress.exit_record_failed = true;
  progress.unwanted = progress.unwanted_recorded = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kDestroy);
}

TEST(NextStepTest, ThatSomebodyWantsItDestroyedIsRecordedBeforeItIs) {
  Progress progress;
  progress.launch_recorded = progress.launched = progress.launched_recorded =
      progress.waiting = progress.unwanted = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kRecordUnwanted);
  progress.unwanted_recorded = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kDestroy);
}

TEST(NextStepTest, AFailedLaunchIsDestroyedAndForgotten) {
  Progress progress;
  progress.launch_recorded = progress.launch_failed = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kDestroy);
  progress.destroyed = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kForget);
}

TEST(NextStepTest, DestroyOvertakesALaunchThatIsUnderWay) {
  Progress progress;
  progress.launch_recorded = progress.launching = progress.unwanted = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kDestroy);
  progress.destroyed = true;
  EXPECT_EQ(NextStep(progress), AgentStep::kNone) << "the launch may still end";
  progress.launching = false;
  EXPECT_EQ(NextStep(progress), AgentStep::kForget);
}

}  // namespace
}  // namespace external_containerizer

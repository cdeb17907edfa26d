// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/next_step_walk_testing.h"

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "external_containerizer/containerizer/agent/serve/held_container.h"
#include "external_containerizer/state/agent_state.h"

namespace external_containerizer {
namespace {

constexpr char kId[] = "one";

// The records on the disk.
struct Disk {
  bool run = false;
  bool latest = false;
  bool exit = false;
  bool completed = false;
  bool unwanted = false;
};

enum class InProgram { kNothing, kRuns, kHasEnded };

struct World {
  bool alive = true;  // The agent lives.
  bool held = true;   // The agent holds the container.
  Progress progress;
  Disk disk;
  InProgram program = InProgram::kNothing;
  AgentStep writing = AgentStep::kNone;  // The write that is under way.
  int launches = 0;
  bool told_that_it_runs = false;
  bool asked_to_destroy = false;
  bool unwanted_lost = false;  // The record of `unwanted` failed.

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

// Returns whether nothing is under way.
bool IsQuiet(const World& world) {
  const Progress& p = world.progress;
  return world.alive && !p.writing && !p.launching && !p.destroying;
}

class Walk {
 public:
  explicit Walk(absl::FunctionRef<AgentStep(const Progress&)> next_step)
      : next_step_(next_step) {}

  StepWalk Run();

 private:
  void Require(bool condition, const char* promise) {
    if (!condition && result_.broken.empty()) result_.broken = promise;
  }

  void Advance(World& world);
  void AddMoves(const World& world, Moves& moves);
  void Check(const World& world);
  void CheckQuiet(const World& world);

  const absl::FunctionRef<AgentStep(const Progress&)> next_step_;
  StepWalk result_;
};

// Begins all steps that the agent would begin now.
void Walk::Advance(World& world) {
  Progress& p = world.progress;
  while (result_.broken.empty()) {
    const AgentStep step = next_step_(p);
    switch (step) {
      case AgentStep::kNone:
        return;
      case AgentStep::kLaunch:
        Require(world.disk.run, "a launch is recorded before it is done");
        Require(++world.launches == 1, "nothing is launched twice");
        p.launching = true;
        break;
      case AgentStep::kWait:
        Require(world.disk.latest, "that it runs is recorded before its wait");
        Require(!p.waiting, "there is one wait at a time");
        p.waiting = true;
        break;
      case AgentStep::kDestroy:
        Require(world.disk.exit || p.launch_failed || p.unwanted,
                "an exit is recorded before it is acknowledged");
        Require(!p.launch_failed || !world.told_that_it_runs,
                "what was said to run is not destroyed as a failed launch");
        Require(!p.destroying, "there is one destroy at a time");
        p.destroying = true;
        break;
      default:
        Require(world.held, "nothing is written of what is forgotten");
        Require(world.writing == AgentStep::kNone,
                "there is one write at a time");
        world.writing = step;
        p.writing = true;
        break;
    }
  }
}

void Walk::AddMoves(const World& world, Moves& moves) {
  const auto add = [&](const std::string& name, World next) {
    if (next.alive) Advance(next);
    moves.emplace_back(name, std::move(next));
  };
  const Progress& p = world.progress;
  // Events outside of the agent.
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
    // The fsync of the directory failed, after the effect.
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
  // The containerizer starts a destroy only after the launch has ended.
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

void Walk::CheckQuiet(const World& world) {
  const Progress& p = world.progress;
  if (!world.held) {
    Require(world.program == InProgram::kNothing,
            "the program has nothing of what is forgotten");
    Require(!world.disk.run, "the disk has nothing of what is forgotten");
    return;
  }
  if (p.exit_record_failed || p.destroy_failed || p.forget_failed) return;
  if (p.destroyed) {
    Require(p.exit_recorded && p.completed_recorded && world.disk.exit,
            "how it ended is on the disk when it is over");
    Require(world.program == InProgram::kNothing,
            "the program has nothing of what is over");
    return;
  }
  Require(p.waiting && p.launched_recorded && !p.exited,
          "something is done for it until it is over");
  Require(world.disk.run && world.disk.latest,
          "what runs is on the disk as running");
}

void Walk::Check(const World& world) {
  if (IsQuiet(world)) {
    ++result_.quiet;
    CheckQuiet(world);
  }
  if (world.told_that_it_runs && !world.asked_to_destroy) {
    Require(world.held, "what was said to run is not forgotten unasked");
    Require(!world.progress.launch_failed,
            "what was said to run is not a failed launch");
    Require(world.program != InProgram::kNothing || world.disk.exit,
            "how it ended is not lost");
  }
  if (world.program == InProgram::kNothing && world.disk.latest &&
      !world.disk.exit) {
    Require(world.disk.unwanted || world.unwanted_lost,
            "the next agent knows that it was to be destroyed");
  }
}

StepWalk Walk::Run() {
  World first;
  Advance(first);
  std::map<std::string, std::string> seen = {{first.Key(), "launch is asked"}};
  std::deque<World> open = {first};
  while (!open.empty() && result_.broken.empty()) {
    const World world = open.front();
    open.pop_front();
    result_.path = seen.at(world.Key());
    Check(world);
    Moves moves;
    AddMoves(world, moves);
    for (auto& [name, next] : moves) {
      std::string path = absl::StrCat(result_.path, "; ", name);
      if (seen.emplace(next.Key(), std::move(path)).second) {
        open.push_back(std::move(next));
      }
    }
  }
  result_.states = seen.size();
  return result_;
}

}  // namespace

StepWalk WalkThroughSteps(
    absl::FunctionRef<AgentStep(const Progress&)> next_step) {
  return Walk(next_step).Run();
}

}  // namespace external_containerizer

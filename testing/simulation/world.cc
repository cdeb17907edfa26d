// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/simulation/world.h"

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/simulation/lifecycle_fingerprint.h"

namespace external_containerizer {
namespace {

// `Choice::what`.
enum What : uint8_t { kCall, kList, kAnswer, kFire, kCrash, kRecoverAgain };

constexpr Command kCalls[] = {Command::kLaunch, Command::kUpdate,
                              Command::kUsage, Command::kWait,
                              Command::kDestroy};
constexpr uint8_t kHows = 8;
// A world that does not come to rest within so many steps never does.
constexpr int kManySteps = 500;

struct Symmetry {
  Renaming from;
  LifecycleFingerprint::Names names;
};

// Every way to exchange `count` names.
std::vector<Symmetry> MakeSymmetries(int count) {
  Renaming from;
  std::iota(from.begin(), from.end(), 0);
  std::vector<Symmetry> all;
  do {
    Symmetry one{from, {}};
    for (int to = 0; to < count; ++to) {
      one.names[NameOf(from[static_cast<size_t>(to)])] = NameOf(to);
    }
    all.push_back(std::move(one));
  } while (std::next_permutation(from.begin(), from.begin() + count));
  return all;
}

const std::vector<Symmetry>& Symmetries(int count) {
  static const auto& all = *new std::array<std::vector<Symmetry>, kMostNames>{
      MakeSymmetries(1), MakeSymmetries(2), MakeSymmetries(3)};
  return all[static_cast<size_t>(count - 1)];
}

std::string Quoted(int name) { return absl::StrCat("\"", NameOf(name), "\""); }

std::string Named(Command command) {
  std::string name(CommandName(command));
  name[0] = static_cast<char>(name[0] - 'a' + 'A');
  return absl::StrCat("Command::k", name);
}

}  // namespace

World::World(const WorldOptions& options)
    : options_(&options),
      lifecycle_(options.lifecycle),
      contract_(options.lifecycle) {
  Handle(RecoverCall{next_call_++, options.known});
}

std::vector<World::Choice> World::Choices() const {
  std::vector<Choice> choices;
  if (contract_.calls().size() < options_->max_calls) {
    for (uint8_t command = 0; command < std::size(kCalls); ++command) {
      for (int name = 0; name < options_->names; ++name) {
        choices.push_back(
            {kCall, static_cast<uint8_t>(command * kMostNames + name)});
      }
    }
    if (options_->lists) choices.push_back({kList, 0});
    if (!contract_.reconciled() && !contract_.recovering()) {
      choices.push_back({kRecoverAgain, 0});
    }
  }
  for (size_t i = 0; i < contract_.ops().size(); ++i) {
    const Contract::Op& op = contract_.ops()[i];
    if (!op.running) continue;
    for (const How how : Hows(op)) {
      choices.push_back({kAnswer, static_cast<uint8_t>(
                                      i * kHows + static_cast<uint8_t>(how))});
    }
  }
  for (size_t i = 0; i < contract_.timers().size(); ++i) {
    choices.push_back({kFire, static_cast<uint8_t>(i)});
  }
  if (options_->crashes && contract_.reconciled()) {
    choices.push_back({kCrash, 0});
  }
  return choices;
}

void World::Apply(Choice choice) {
  switch (choice.what) {
    case kCall:
      Handle(ContainerCall{next_call_++, kCalls[choice.which / kMostNames],
                           NameOf(choice.which % kMostNames)});
      return;
    case kList:
      Handle(ContainerCall{next_call_++, Command::kContainers, ""});
      return;
    case kAnswer:
      Answer(OpOf(choice.which), static_cast<How>(choice.which % kHows));
      return;
    case kFire:
      Fire(contract_.timers()[choice.which].id);
      return;
    case kCrash:
      lifecycle_ = Lifecycle(options_->lifecycle);
      Recover();
      return;
    default:
      Recover();
      return;
  }
}

// This is possible after a crash, too, when only what was written down is left.
void World::Recover() {
  std::vector<KnownContainer> known = contract_.Remembered();
  if (contract_.reconciled()) contract_.Crashed();
  Handle(RecoverCall{next_call_++, std::move(known)});
}

std::string World::AsTest(Choice choice) const {
  switch (choice.what) {
    case kCall:
      return absl::StrCat("Call(", Named(kCalls[choice.which / kMostNames]),
                          ", ", Quoted(choice.which % kMostNames), ");");
    case kList:
      return "List();";
    case kAnswer: {
      const Contract::Op& op = OpOf(choice.which);
      const std::string about =
          op.name < 0 ? Named(op.command)
                      : absl::StrCat(Named(op.command), ", ", Quoted(op.name));
      switch (static_cast<How>(choice.which % kHows)) {
        case How::kWell:
          if (op.command == Command::kWait) {
            return absl::StrCat("AnswerWait(", Quoted(op.name), ", ",
                                op.life % 2, ");");
          }
          if (op.command == Command::kContainers) {
            std::vector<std::string> all;
            for (int i = 0; i < options_->names; ++i) all.push_back(Quoted(i));
            return absl::StrCat("AnswerList({", absl::StrJoin(all, ", "), "}, ",
                                Quoted(op.name), ");");
          }
          return absl::StrCat("Succeed(", about, ");");
        case How::kEmpty:
          return absl::StrCat("AnswerList({}, ", Quoted(op.name), ");");
        case How::kFailed:
          return absl::StrCat("Fail(", Named(op.command), ", ", Quoted(op.name),
                              ");");
        case How::kNotStarted:
          return absl::StrCat("Fail(", Named(op.command), ", ", Quoted(op.name),
                              ", absl::UnavailableError(\"away\"), "
                              "Outcome::kNotStarted);");
        case How::kUnknown:
          return absl::StrCat("Fail(", Named(op.command), ", ", Quoted(op.name),
                              ", absl::UnavailableError(\"lost\"), "
                              "Outcome::kUnknown);");
        case How::kCancelled:
          return absl::StrCat("Fail(", Named(op.command), ", ", Quoted(op.name),
                              ", absl::CancelledError(\"killed\"));");
        case How::kCancelledUnknown:
          return absl::StrCat("Fail(", Named(op.command), ", ", Quoted(op.name),
                              ", absl::CancelledError(\"killed\"), "
                              "Outcome::kUnknown);");
      }
      return "";
    }
    case kFire: {
      const Contract::Timer& timer = contract_.timers()[choice.which];
      return absl::StrCat("FireTimer(", timer.id, ");  // ",
                          absl::FormatDuration(timer.delay));
    }
    default: {
      std::vector<std::string> known;
      constexpr const char* kStates[] = {"kRunning", "kUnacknowledged",
                                         "kCompleted"};
      for (const KnownContainer& one : contract_.Remembered()) {
        known.push_back(absl::StrCat("{\"", one.id, "\", State::",
                                     kStates[static_cast<size_t>(one.state)],
                                     ", std::nullopt}"));
      }
      return absl::StrCat(choice.what == kCrash ? "Crash(); " : "", "Recover({",
                          absl::StrJoin(known, ", "), "});");
    }
  }
}

uint64_t World::Hash() const {
  uint64_t least = 0;
  std::string text;
  for (const Symmetry& symmetry : Symmetries(options_->names)) {
    text = LifecycleFingerprint::Of(lifecycle_, symmetry.names);
    contract_.AppendFingerprint(symmetry.from, &text);
    const uint64_t hash = absl::Hash<std::string>()(text);
    if (least == 0 || hash < least) least = hash;
  }
  return least;
}

// --- The program ---

const Contract::Op& World::OpOf(size_t which) const {
  return contract_.ops()[which / kHows];
}

std::vector<World::How> World::Hows(const Contract::Op& op) const {
  if (op.cancelled) {
    return {How::kWell, How::kCancelled, How::kCancelledUnknown};
  }
  switch (op.command) {
    case Command::kContainers:
      return {How::kWell, How::kEmpty, How::kFailed};
    case Command::kUsage:
    case Command::kRecover:
      if (options_->all_answers) {
        return {How::kWell, How::kFailed, How::kNotStarted};
      }
      return {How::kWell, How::kFailed};
    case Command::kUpdate:
      if (!options_->all_answers) return {How::kWell, How::kNotStarted};
      break;
    default:
      if (!options_->all_answers) return {How::kWell, How::kFailed};
      break;
  }
  return {How::kWell, How::kFailed, How::kNotStarted, How::kUnknown};
}

CommandResult World::Result(const Contract::Op& op, How how) const {
  CommandResult result;
  switch (how) {
    case How::kWell:
    case How::kEmpty:
      result.outcome = Outcome::kAnswered;
      if (op.command == Command::kWait) {
        auto termination = std::make_shared<wire::Termination>();
        termination->set_status(op.life % 2);
        result.termination = std::move(termination);
      } else if (op.command == Command::kContainers && how == How::kWell) {
        for (int i = 0; i < options_->names; ++i) {
          result.containers.push_back(NameOf(i));
        }
      }
      break;
    case How::kFailed:
      result.outcome = Outcome::kEnded;
      result.status = absl::InternalError("broke");
      break;
    case How::kNotStarted:
      result.outcome = Outcome::kNotStarted;
      result.status = absl::UnavailableError("away");
      break;
    case How::kUnknown:
      result.outcome = Outcome::kUnknown;
      result.status = absl::UnavailableError("lost");
      break;
    case How::kCancelled:
      result.outcome = Outcome::kEnded;
      result.status = absl::CancelledError("killed");
      break;
    case How::kCancelledUnknown:
      result.outcome = Outcome::kUnknown;
      result.status = absl::CancelledError("killed");
      break;
  }
  return result;
}

void World::Answer(const Contract::Op& op, How how) {
  Handle(CommandEnded{op.id, Result(op, how)});
}

void World::Fire(TimerId timer) { Handle(TimerFired{timer}); }

void World::Handle(Event event) {
  contract_.Before(event);
  contract_.After(lifecycle_.Handle(std::move(event)));
}

// --- What follows ---

bool World::Step(Program program) {
  for (const Contract::Op& op : contract_.ops()) {
    if (!op.running) continue;
    const bool of_recovery = !contract_.reconciled();
    const bool may_hang =
        op.command == Command::kLaunch || op.command == Command::kUpdate ||
        op.command == Command::kUsage || op.command == Command::kWait;
    How how = How::kWell;
    if (op.cancelled) {
      how = How::kCancelled;
    } else if (program == Program::kHangs && may_hang) {
      continue;
    } else if (program == Program::kFails && !of_recovery &&
               op.command != Command::kContainers) {
      how = How::kFailed;
    }
    Answer(op, how);
    return true;
  }
  if (contract_.timers().empty()) return false;
  Fire(contract_.timers().front().id);
  return true;
}

void World::Settle(Program program) {
  const auto run = [&] {
    for (int steps = 0; Step(program) && broken().empty(); ++steps) {
      if (steps == kManySteps) {
        contract_.Break("all comes to an end", "it goes on and on");
      }
    }
  };
  if (!contract_.reconciled() && !contract_.recovering()) Recover();
  if (program == Program::kHangs) {
    while (!contract_.reconciled() && broken().empty()) {
      if (!Step(program)) break;
    }
    for (int name = 0; name < options_->names; ++name) {
      if (contract_.life(name).held) {
        Handle(ContainerCall{next_call_++, Command::kDestroy, NameOf(name)});
      }
    }
  }
  run();
  if (!broken().empty()) return;
  const bool hangs = program == Program::kHangs;
  for (const Contract::Call& call : contract_.calls()) {
    // A container that could not be destroyed is still held, with its commands.
    if (hangs && call.name >= 0 && contract_.life(call.name).destroy_failed) {
      continue;
    }
    contract_.Break("every call ends",
                    absl::StrCat(CommandName(call.command), " of ",
                                 NameOf(call.name), " never does"));
  }
  for (int name = 0; name < options_->names; ++name) {
    const Contract::Life& life = contract_.life(name);
    if (!life.held) continue;
    if (hangs && !life.destroy_failed) {
      contract_.Break("Destroy gets through", NameOf(name));
    }
    if (life.state == ContainerState::kLaunching ||
        life.state == ContainerState::kDestroying) {
      contract_.Break("launching and destroying end", NameOf(name));
    }
    if (program == Program::kWorks && life.launch_failed &&
        !life.destroy_failed) {
      contract_.Break("the rest of a failed launch is destroyed", NameOf(name));
    }
  }
}

void World::CheckWhatFollows() {
  for (const Program program :
       {Program::kWorks, Program::kHangs, Program::kFails}) {
    World copy = *this;
    copy.Settle(program);
    if (!copy.broken().empty()) {
      constexpr const char* kThen[] = {"works", "hangs", "fails"};
      contract_.Break(
          copy.broken(),
          absl::StrCat("if the program ", kThen[static_cast<size_t>(program)],
                       " from here on"));
      return;
    }
  }
  World copy = *this;
  copy.Handle(Shutdown());
  if (!copy.broken().empty()) {
    contract_.Break(copy.broken(), "if the agent ends now");
  }
}

}  // namespace external_containerizer

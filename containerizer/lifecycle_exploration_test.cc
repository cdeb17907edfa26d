// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Walks Lifecycle through many interleavings of calls, answers and timers, of
// programs that work and that fail, and checks what must hold in all of them.
// A failure names its seed, which is all that is needed to see it again.

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/lifecycle.h"
#include "external_containerizer/containerizer/lifecycle_testing.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

constexpr int kSeeds = 3000;
constexpr int kSteps = 150;

LifecycleOptions TightOptions() {
  LifecycleOptions options;
  options.max_commands = 2;
  options.max_waits = 3;
  options.max_ended = 1;
  options.max_calls_per_container = 6;
  options.max_calls = 30;
  options.max_containers = 3;
  options.max_orphans_at_once = 1;
  options.max_attempts = 2;
  options.max_wait_attempts = 2;
  return options;
}

class Explorer {
 public:
  explicit Explorer(unsigned seed) : random_(seed), harness_(TightOptions()) {}

  void Run() {
    harness_.Recover(Known());
    for (int step = 0; step < kSteps; ++step) {
      switch (Pick(5)) {
        case 0:
        case 1:
          MakeCall();
          break;
        case 2:
        case 3:
          AnswerOne(/*well=*/Pick(3) > 0);
          break;
        default:
          FireOne();
      }
      CheckWhatRuns();
      if (::testing::Test::HasFailure()) return;
    }
    Settle();
  }

 private:
  size_t Pick(size_t n) { return random_() % n; }
  ContainerId Id() { return std::string(1, static_cast<char>('a' + Pick(4))); }

  std::vector<KnownContainer> Known() {
    std::vector<KnownContainer> known;
    for (const char* id : {"a", "b", "c", "d"}) {
      const size_t state = Pick(6);
      if (state > 2) continue;
      known.push_back(
          {id, static_cast<KnownContainer::State>(state), std::nullopt});
    }
    return known;
  }

  void MakeCall() {
    switch (Pick(8)) {
      case 0:
        harness_.List();
        return;
      case 1:
        harness_.Recover(Known());
        return;
      default:
        break;
    }
    constexpr Command kCommands[] = {Command::kLaunch, Command::kUpdate,
                                     Command::kUsage, Command::kWait,
                                     Command::kDestroy};
    harness_.Call(kCommands[Pick(5)], Id());
  }

  void AnswerOne(bool well) {
    if (harness_.running().empty()) return;
    auto it = harness_.running().begin();
    std::advance(it, static_cast<int>(Pick(harness_.running().size())));
    const StartCommand command = it->second;
    CommandResult result;
    result.outcome = Outcome::kAnswered;
    if (!well) {
      result.outcome = static_cast<Outcome>(Pick(4));
      result.status = Pick(2) == 0 ? absl::UnavailableError("away")
                                   : absl::InternalError("broke");
    } else if (command.command == Command::kWait) {
      result.termination = std::make_shared<wire::Termination>();
    } else if (command.command == Command::kContainers) {
      for (const char* id : {"a", "b", "c", "d"}) {
        if (Pick(2) == 0) result.containers.push_back(id);
      }
    }
    harness_.AnswerOp(command.op, std::move(result));
  }

  void FireOne() {
    if (harness_.timers().empty()) return;
    auto it = harness_.timers().begin();
    std::advance(it, static_cast<int>(Pick(harness_.timers().size())));
    harness_.FireTimer(it->first);
  }

  // What the program may see at once.
  void CheckWhatRuns() {
    std::map<std::pair<Command, ContainerId>, int> count;
    size_t ordinary = 0, waits = 0;
    for (const auto& [op, command] : harness_.running()) {
      ++count[{command.command, command.container}];
      if (command.command == Command::kWait) {
        ++waits;
      } else {
        ++ordinary;
      }
    }
    EXPECT_LE(ordinary, 4u) << harness_.Running();
    EXPECT_LE(waits, 3u) << harness_.Running();
    for (const auto& [what, n] : count) {
      const auto& [command, id] = what;
      if (id.empty()) continue;
      EXPECT_EQ(n, 1) << harness_.Running();
      if (command != Command::kLaunch) {
        EXPECT_EQ(count.count({Command::kLaunch, id}), 0u)
            << "beside its launch: " << harness_.Running();
      }
    }
  }

  // With a program that works everything comes to an end: containers stay that
  // nobody destroys, and only calls to Wait for them are open.
  void Settle() {
    for (int i = 0; i < 10000; ++i) {
      if (!harness_.timers().empty()) {
        harness_.FireTimer(harness_.timers().begin()->first);
      } else if (!harness_.running().empty()) {
        AnswerOne(/*well=*/true);
      } else {
        break;
      }
    }
    EXPECT_EQ(harness_.Running(), "");
    EXPECT_TRUE(harness_.timers().empty());
    EXPECT_EQ(harness_.returned(), harness_.calls())
        << harness_.lifecycle().Fingerprint();
  }

  std::mt19937 random_;
  LifecycleHarness harness_;
};

TEST(LifecycleExplorationTest, EveryCallReturnsOnceInEveryInterleaving) {
  for (unsigned seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Explorer(seed).Run();
    if (HasFailure()) return;
  }
}

// Every sequence of `depth` events that can happen to one container: each call,
// each way for each running command to end, each timer. What is left is then
// brought to an end by a program that works.
class Walker {
 public:
  // The number of sequences.
  int Walk(const LifecycleHarness& here, int depth) {
    if (depth == 0 || ::testing::Test::HasFailure()) {
      Settle(here);
      return 1;
    }
    int sequences = 0;
    for (const Command command :
         {Command::kLaunch, Command::kUpdate, Command::kUsage, Command::kWait,
          Command::kDestroy}) {
      LifecycleHarness next = here;
      next.Call(command, "a");
      sequences += Walk(next, depth - 1);
    }
    for (const auto& [op, command] : here.running()) {
      for (const bool well : {true, false}) {
        LifecycleHarness next = here;
        next.AnswerOp(op, Result(command.command, well));
        sequences += Walk(next, depth - 1);
      }
    }
    for (const auto& [timer, delay] : here.timers()) {
      LifecycleHarness next = here;
      next.FireTimer(timer);
      sequences += Walk(next, depth - 1);
    }
    return sequences;
  }

 private:
  static CommandResult Result(Command command, bool well) {
    CommandResult result;
    result.outcome = Outcome::kEnded;
    if (!well) {
      result.status = absl::InternalError("broke");
      return result;
    }
    result.outcome = Outcome::kAnswered;
    if (command == Command::kWait) {
      result.termination = std::make_shared<wire::Termination>();
    }
    return result;
  }

  static void Settle(LifecycleHarness harness) {
    // A last Destroy, so that what waits for an end sees one.
    const CallId destroy = harness.Call(Command::kDestroy, "a");
    while (!harness.running().empty() || !harness.timers().empty()) {
      if (!harness.running().empty()) {
        const auto [op, command] = *harness.running().begin();
        harness.AnswerOp(op, Result(command.command, /*well=*/true));
      } else {
        harness.FireTimer(harness.timers().begin()->first);
      }
    }
    EXPECT_TRUE(harness.HasReturned(destroy));
    EXPECT_EQ(harness.returned(), harness.calls())
        << harness.lifecycle().Fingerprint();
  }
};

TEST(LifecycleExplorationTest, EveryShortSequenceFromEveryStateComesToAnEnd) {
  for (int state = 0; state < 5; ++state) {
    SCOPED_TRACE(absl::StrCat("from state ", state));
    LifecycleHarness harness(TightOptions());
    harness.Recovered();
    if (state == 1) harness.Call(Command::kLaunch, "a");
    if (state > 1) harness.Launched("a");
    if (state == 3) harness.AnswerWait("a");
    if (state == 4) harness.Call(Command::kDestroy, "a");
    EXPECT_GT(Walker().Walk(harness, 4), 500);
    if (HasFailure()) return;
  }
}

TEST(LifecycleExplorationTest, EqualHistoriesHaveEqualFingerprints) {
  LifecycleHarness one(TightOptions()), other(TightOptions());
  for (LifecycleHarness* harness : {&one, &other}) {
    harness->Recovered();
    harness->Launched("a");
    harness->Call(Command::kDestroy, "a");
  }
  EXPECT_EQ(one.lifecycle().Fingerprint(), other.lifecycle().Fingerprint());
  Lifecycle copy = one.lifecycle();
  EXPECT_EQ(copy.Fingerprint(), one.lifecycle().Fingerprint());
  copy.Handle(Shutdown());
  EXPECT_NE(copy.Fingerprint(), one.lifecycle().Fingerprint());
}

}  // namespace
}  // namespace external_containerizer

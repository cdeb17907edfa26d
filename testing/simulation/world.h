// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// One moment of a small world: a Lifecycle, what the contract knows about it,
// and everything that may happen next. Copyable.
//
//   World world(options);
//   for (const World::Choice choice : world.Choices()) {
//     World next = world;
//     next.Apply(choice);
//   }

#ifndef EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_WORLD_H_
#define EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_WORLD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/lifecycle.h"
#include "external_containerizer/containerizer/options.h"
#include "external_containerizer/testing/simulation/contract.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

struct WorldOptions {
  std::string name;
  int names = 1;         // Names of containers; each is used again and again.
  size_t max_calls = 3;  // That have not returned.
  // Commands end in every possible way; if not, in one good and one bad way.
  bool all_answers = true;
  bool crashes = true;  // The agent may die and start again.
  bool lists = false;   // Somebody calls Containers().
  // The containers that a starting agent knows of.
  std::vector<KnownContainer> known;
  LifecycleOptions lifecycle;
};

class World {
 public:
  // Something that may happen, and its object.
  struct Choice {
    uint8_t what;
    uint8_t which;
  };

  // `options` must outlive it.
  explicit World(const WorldOptions& options);

  std::vector<Choice> Choices() const;
  void Apply(Choice choice);
  // The choice as a line of a test that uses LifecycleHarness.
  std::string AsTest(Choice choice) const;

  // Worlds have the same hash if they differ only in numbers, or in which
  // container has which name.
  uint64_t Hash() const;

  // Checks that everything comes to an end if, from now on, the program works,
  // or hangs, or always fails, or the agent ends.
  void CheckWhatFollows();

  const std::string& broken() const { return contract_.broken(); }

 private:
  enum class How : uint8_t {
    kWell,
    kEmpty,  // `containers`: lists none.
    kFailed,
    kNotStarted,
    kUnknown,
    kCancelled,
    kCancelledUnknown,
  };
  enum class Program { kWorks, kHangs, kFails };

  std::vector<How> Hows(const Contract::Op& op) const;
  CommandResult Result(const Contract::Op& op, How how) const;
  const Contract::Op& OpOf(size_t which) const;

  void Handle(Event event);
  void Answer(const Contract::Op& op, How how);
  void Fire(TimerId timer);
  void Recover();
  // Whether anything happened.
  bool Step(Program program);
  void Settle(Program program);

  const WorldOptions* options_;
  Lifecycle lifecycle_;
  Contract contract_;
  CallId next_call_ = 1;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TESTING_SIMULATION_WORLD_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/simulation/world.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "external_containerizer/testing/simulation/explorer.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

WorldOptions TwoNames() {
  WorldOptions options;
  options.name = "two names";
  options.names = 2;
  options.lifecycle.max_attempts = 1;
  return options;
}

// Applies the choice with this line of a test.
void Do(const std::string& line, World* world) {
  for (const World::Choice choice : world->Choices()) {
    if (absl::StartsWith(world->AsTest(choice), line)) {
      return world->Apply(choice);
    }
  }
  FAIL() << line << " cannot happen now";
}

TEST(WorldTest, WhichContainerHasWhichNameDoesNotMatter) {
  const WorldOptions options = TwoNames();
  World one(options), other(options), third(options);
  for (World* world : {&one, &other, &third}) {
    Do("Succeed(Command::kRecover", world);
    Do("AnswerList({}", world);
  }
  Do("Call(Command::kLaunch, \"a\")", &one);
  Do("Call(Command::kLaunch, \"b\")", &other);
  Do("Call(Command::kWait, \"a\")", &third);
  EXPECT_EQ(one.Hash(), other.Hash());
  EXPECT_NE(one.Hash(), third.Hash());
  Do("Succeed(Command::kLaunch, \"a\")", &one);
  EXPECT_NE(one.Hash(), other.Hash());
  Do("Succeed(Command::kLaunch, \"b\")", &other);
  EXPECT_EQ(one.Hash(), other.Hash());
}

// Numbers only grow, so a world in which everything is as before is the same.
TEST(WorldTest, AContainerThatIsGoneLeavesNoTrace) {
  const WorldOptions options = TwoNames();
  World world(options);
  Do("Succeed(Command::kRecover", &world);
  Do("AnswerList({}", &world);
  std::vector<uint64_t> hashes;
  for (int i = 0; i < 4; ++i) {
    Do("Call(Command::kLaunch, \"a\")", &world);
    Do("Succeed(Command::kLaunch, \"a\")", &world);
    Do("AnswerWait(\"a\"", &world);
    Do("Call(Command::kDestroy, \"a\")", &world);
    Do("Succeed(Command::kDestroy, \"a\")", &world);
    hashes.push_back(world.Hash());
  }
  // Every other state differs, because a second container of a name is not the
  // first.
  EXPECT_EQ(hashes[0], hashes[2]);
  EXPECT_EQ(hashes[1], hashes[3]);
  EXPECT_EQ(world.broken(), "");
}

TEST(ExplorerTest, AWorldInWhichNobodyCallsIsExploredWhole) {
  WorldOptions options = TwoNames();
  options.max_calls = 0;
  options.crashes = false;
  const Exploration result = Explore(options, 1000);
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.broken, "");
  EXPECT_GE(result.states, 5u);
  EXPECT_LT(result.states, 50u);
}

}  // namespace
}  // namespace external_containerizer

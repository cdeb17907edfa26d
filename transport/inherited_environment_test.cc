// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/inherited_environment.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Texts(const absl::StatusOr<EnvironmentBlock>& block) {
  std::vector<std::string> texts;
  EXPECT_TRUE(block.ok()) << block.status();
  if (!block.ok()) return texts;
  EXPECT_EQ(block->pointers.back(), nullptr);
  for (const char* text : block->pointers) {
    if (text != nullptr) texts.push_back(text);
  }
  return texts;
}

const char* const kVariables[] = {
    "SECRET=s",      "PATH=/bin", "LC_ALL=C", "LC_TIME=C",
    "DOCKER_HOST=d", "HOMER=no",  "HOME=/h",  "MESOS_TOKEN=t",
    "PATH=/later",   "malformed", "=x",       nullptr};

TEST(InheritedEnvironmentTest, OnlyTheNamedFewAreInherited) {
  const InheritedEnvironment inherited(kVariables, DefaultInherited());
  EXPECT_THAT(Texts(inherited.With({})),
              ElementsAre("DOCKER_HOST=d", "HOME=/h", "LC_ALL=C", "LC_TIME=C",
                          "PATH=/bin"));
}

TEST(InheritedEnvironmentTest, OthersOrAllAreInheritedWhenAskedFor) {
  EXPECT_THAT(
      Texts(InheritedEnvironment(kVariables, {"MESOS_*", "SECRET"}).With({})),
      ElementsAre("MESOS_TOKEN=t", "SECRET=s"));
  EXPECT_THAT(
      Texts(InheritedEnvironment(kVariables, {"*"}).With({})),
      ElementsAre("DOCKER_HOST=d", "HOME=/h", "HOMER=no", "LC_ALL=C",
                  "LC_TIME=C", "MESOS_TOKEN=t", "PATH=/bin", "SECRET=s"));
  EXPECT_THAT(Texts(InheritedEnvironment(kVariables, {}).With({})),
              ElementsAre());
}

TEST(InheritedEnvironmentTest, WithoutAPathThereIsTheUsualOne) {
  const char* const none[] = {"HOME=/h", "TZ=UTC", nullptr};
  EXPECT_THAT(Texts(InheritedEnvironment(none, DefaultInherited()).With({})),
              ElementsAre("HOME=/h",
                          "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:"
                          "/usr/bin:/sbin:/bin",
                          "TZ=UTC"));
  EXPECT_THAT(Texts(InheritedEnvironment(none, {"TZ"}).With({})),
              ElementsAre("TZ=UTC"));
}

TEST(InheritedEnvironmentTest, GivenVariablesWinOverInheritedOnes) {
  const InheritedEnvironment inherited(kVariables, DefaultInherited());
  EXPECT_THAT(
      Texts(inherited.With({{"AAA", "1"},
                            {"HOME", ""},
                            {"LIBPROCESS_PORT", "0"},
                            {"ZZZ", "="}})),
      ElementsAre("AAA=1", "DOCKER_HOST=d", "HOME=", "LC_ALL=C", "LC_TIME=C",
                  "LIBPROCESS_PORT=0", "PATH=/bin", "ZZZ=="));
}

TEST(InheritedEnvironmentTest, WhatIsNoVariableIsRefused) {
  const InheritedEnvironment inherited(kVariables, DefaultInherited());
  for (const Environment& bad :
       {Environment{{"", "x"}}, Environment{{"A=B", "x"}},
        Environment{{std::string("A\0B", 3), "x"}},
        Environment{{"A", std::string("x\0y", 3)}}}) {
    EXPECT_EQ(inherited.With(bad).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(InheritedEnvironmentTest, ValuesAreFoundByName) {
  const InheritedEnvironment inherited(kVariables, DefaultInherited());
  EXPECT_EQ(inherited.Get("PATH"), "/bin");
  EXPECT_EQ(inherited.Get("SECRET"), "");
  EXPECT_EQ(InheritedEnvironment(nullptr, DefaultInherited()).Get("HOME"), "");
}

}  // namespace
}  // namespace external_containerizer

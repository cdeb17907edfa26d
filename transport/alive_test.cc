// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/alive.h"

#include <memory>
#include <utility>

#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

TEST(AliveTest, WhatIsGuardedRunsUntilItsOwnerIsGone) {
  auto alive = std::make_unique<Alive>();
  int sum = 0;
  auto add = alive->Guard([&sum](int value) { sum += value; });
  add(1);
  add(2);
  EXPECT_EQ(sum, 3);
  alive.reset();
  add(4);
  EXPECT_EQ(sum, 3);
}

TEST(AliveTest, ValuesThatCannotBeCopiedAreHandedOn) {
  const Alive alive;
  int seen = 0;
  auto take =
      alive.Guard([&seen, own = std::make_unique<int>(40)](
                      std::unique_ptr<int> other) { seen = *own + *other; });
  take(std::make_unique<int>(2));
  EXPECT_EQ(seen, 42);
}

TEST(AliveTest, WatchTellsWhetherACallHasDestroyedItsOwner) {
  auto alive = std::make_unique<Alive>();
  const auto watch = alive->Watch();
  auto destroy = alive->Guard([&alive] { alive.reset(); });
  EXPECT_FALSE(watch.expired());
  destroy();
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace external_containerizer

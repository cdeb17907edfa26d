// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/command_slots.h"

#include <optional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::Optional;

TEST(CommandSlotsTest, FirstComeFirstServedWhateverTheCommand) {
  CommandSlots slots(/*max_commands=*/3, /*max_waits=*/1);
  slots.Enqueue(1, Command::kLaunch);
  slots.Enqueue(2, Command::kDestroy);
  slots.Enqueue(3, Command::kContainers);
  slots.Enqueue(4, Command::kUsage);
  EXPECT_THAT(slots.Next(), Optional(1u));
  EXPECT_THAT(slots.Next(), Optional(2u));
  EXPECT_THAT(slots.Next(), Optional(3u));
  EXPECT_EQ(slots.Next(), std::nullopt);
  slots.Release(2);
  EXPECT_THAT(slots.Next(), Optional(4u));
}

TEST(CommandSlotsTest, DestroyAndListsHaveOnePlaceMoreEach) {
  CommandSlots slots(1, 1);
  slots.Enqueue(1, Command::kLaunch);
  slots.Enqueue(2, Command::kUpdate);
  slots.Enqueue(3, Command::kDestroy);
  slots.Enqueue(4, Command::kDestroy);
  slots.Enqueue(5, Command::kRecover);
  slots.Enqueue(6, Command::kContainers);
  EXPECT_THAT(slots.Next(), Optional(1u));
  EXPECT_THAT(slots.Next(), Optional(3u));
  EXPECT_THAT(slots.Next(), Optional(5u));
  EXPECT_EQ(slots.Next(), std::nullopt);
  // The place that gets free is reserved, so the update does not get it.
  slots.Release(3);
  EXPECT_THAT(slots.Next(), Optional(4u));
  slots.Release(1);
  EXPECT_THAT(slots.Next(), Optional(2u));
}

TEST(CommandSlotsTest, WaitsHaveABoundOfTheirOwn) {
  CommandSlots slots(1, 2);
  for (int i = 1; i <= 3; ++i) {
    slots.Enqueue(static_cast<CommandSlots::Ticket>(i), Command::kWait);
  }
  slots.Enqueue(4, Command::kLaunch);
  EXPECT_THAT(slots.Next(), Optional(1u));
  EXPECT_THAT(slots.Next(), Optional(2u));
  EXPECT_THAT(slots.Next(), Optional(4u));
  EXPECT_EQ(slots.Next(), std::nullopt);
  slots.Release(1);
  EXPECT_THAT(slots.Next(), Optional(3u));
}

TEST(CommandSlotsTest, OnlyWhatIsQueuedCanBeWithdrawn) {
  CommandSlots slots(1, 1);
  slots.Enqueue(1, Command::kLaunch);
  slots.Enqueue(2, Command::kLaunch);
  EXPECT_THAT(slots.Next(), Optional(1u));
  EXPECT_TRUE(slots.IsRunning(1));
  EXPECT_FALSE(slots.Withdraw(1));
  EXPECT_TRUE(slots.Withdraw(2));
  EXPECT_FALSE(slots.Withdraw(2));
  slots.Release(1);
  slots.Release(1);
  EXPECT_EQ(slots.Next(), std::nullopt);
  EXPECT_FALSE(slots.IsRunning(1));
}

}  // namespace
}  // namespace external_containerizer

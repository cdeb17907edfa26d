// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/lifecycle.h"

#include <string>
#include <tuple>
#include <vector>

#include "external_containerizer/containerizer/lifecycle_testing.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using State = KnownContainer::State;

LifecycleOptions SmallOptions() {
  LifecycleOptions options;
  options.max_commands = 4;
  options.max_ended = 2;
  options.max_calls_per_container = 4;
  options.max_calls = 40;
  options.max_orphans_at_once = 2;
  options.max_attempts = 3;
  options.max_wait_attempts = 3;
  options.max_waits_not_started = 5;
  options.launch_grace = absl::Seconds(5);
  options.wait_grace = absl::Seconds(3);
  options.unlisted_grace = absl::Seconds(2);
  options.wait_stable = absl::Seconds(60);
  options.unknown_grace = absl::Seconds(50);
  options.retry_delay = absl::Milliseconds(100);
  return options;
}

class LifecycleTest : public ::testing::Test, public LifecycleHarness {
 protected:
  LifecycleTest() : LifecycleHarness(SmallOptions()) {}

  void ExpectTermination(CallId call, int wait_status) {
    ASSERT_THAT(Status(call), IsOk());
    EXPECT_EQ(TerminationOf(call).status(), wait_status);
  }
  void ExpectMadeUp(CallId call, const std::string& why) {
    ASSERT_THAT(Status(call), IsOk());
    EXPECT_FALSE(TerminationOf(call).has_status());
    EXPECT_THAT(TerminationOf(call).message(), HasSubstr(why));
  }
};

// --- Recovery ---

TEST_F(LifecycleTest, CallsBeforeRecoverAreRefused) {
  EXPECT_THAT(Status(Call(Command::kLaunch, "a")),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Status(List()), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(Running(), "");
}

TEST_F(LifecycleTest, RecoverRunsRecoverThenContainers) {
  const CallId call = Recover();
  EXPECT_EQ(Running(), "recover");
  Succeed(Command::kRecover);
  EXPECT_EQ(Running(), "containers");
  AnswerList({});
  EXPECT_THAT(Status(call), IsOk());
  EXPECT_THAT(Status(Recover()),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(LifecycleTest, CallsDuringRecoveryWaitForReconcile) {
  Recover();
  const CallId launch = Call(Command::kLaunch, "a");
  const CallId list = List();
  Succeed(Command::kRecover);
  EXPECT_EQ(Running(), "containers");
  AnswerList({});
  EXPECT_EQ(Running(), "launch a, containers");
  EXPECT_FALSE(HasReturned(launch));
  EXPECT_FALSE(HasReturned(list));
}

TEST_F(LifecycleTest, CallsDoNotWaitForTheLastOrphan) {
  const CallId recover =
      Recovered({{"old", State::kUnacknowledged, std::nullopt}}, {"old"});
  EXPECT_EQ(Running(), "wait old, destroy old");
  EXPECT_FALSE(HasReturned(recover));
  Launched("a");
  Succeed(Command::kDestroy, "old");
  AnswerWait("old", 9);
  EXPECT_THAT(ValueOf<RecoverySummary>(recover).destroyed, ElementsAre("old"));
}

TEST_F(LifecycleTest, AFailedRecoverMayBeRepeated) {
  const CallId first = Recover();
  const CallId launch = Call(Command::kLaunch, "a");
  Fail(Command::kRecover, "");
  EXPECT_THAT(Status(first), StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(Status(launch), StatusIs(absl::StatusCode::kFailedPrecondition,
                                       HasSubstr("recovery failed")));
  EXPECT_THAT(Status(Recovered()), IsOk());
}

TEST_F(LifecycleTest, RecoveryRetriesAProgramThatIsAway) {
  const CallId call = Recover();
  Fail(Command::kRecover, "", absl::UnavailableError("away"),
       Outcome::kNotStarted);
  EXPECT_FALSE(HasReturned(call));
  Fire(absl::Milliseconds(100));
  Succeed(Command::kRecover);
  AnswerList({});
  EXPECT_THAT(Status(call), IsOk());
}

TEST_F(LifecycleTest, WhatRunsIsRecoveredAndItsExitIsNotLost) {
  const CallId recover =
      Recovered({{"a", State::kRunning, std::nullopt}}, {"a"});
  EXPECT_THAT(ValueOf<RecoverySummary>(recover).recovered, ElementsAre("a"));
  EXPECT_EQ(Running(), "wait a");
  AnswerWait("a", 3 << 8);
  ExpectTermination(Call(Command::kWait, "a"), 3 << 8);
}

TEST_F(LifecycleTest, AnUnlistedContainerWhoseWaitAnswersIsRecovered) {
  const CallId recover = Recovered({{"a", State::kRunning, std::nullopt}});
  AnswerWait("a", 0);
  EXPECT_THAT(ValueOf<RecoverySummary>(recover).recovered, ElementsAre("a"));
  ExpectTermination(Call(Command::kWait, "a"), 0);
}

TEST_F(LifecycleTest, AnUnlistedContainerWhoseWaitFailsIsLost) {
  const CallId recover = Recovered({{"a", State::kRunning, std::nullopt}});
  const CallId wait = Call(Command::kWait, "a");
  Fail(Command::kWait, "a");
  EXPECT_THAT(ValueOf<RecoverySummary>(recover).lost, ElementsAre("a"));
  ExpectMadeUp(wait, "not listed");
}

TEST_F(LifecycleTest, AnUnlistedContainerWhoseWaitBlocksIsAlive) {
  const CallId recover = Recovered({{"a", State::kRunning, std::nullopt}});
  EXPECT_FALSE(HasReturned(recover));
  Fire(absl::Seconds(2));
  EXPECT_THAT(ValueOf<RecoverySummary>(recover).recovered, ElementsAre("a"));
  Fail(Command::kWait, "a");
  Fire(absl::Milliseconds(100));
  EXPECT_TRUE(Runs(Command::kWait, "a"));
}

TEST_F(LifecycleTest, AProgramThatIsAwayLosesNoUnlistedContainer) {
  const CallId recover = Recovered({{"a", State::kRunning, std::nullopt}});
  Fail(Command::kWait, "a", absl::UnavailableError("away"));
  EXPECT_FALSE(HasReturned(recover));
  Fire(absl::Milliseconds(100));
  AnswerWait("a", 0);
  EXPECT_THAT(ValueOf<RecoverySummary>(recover).recovered, ElementsAre("a"));
}

TEST_F(LifecycleTest, ForeignContainersAreLeftAlone) {
  const CallId recover = Recovered({}, {"foreign", "foreign"});
  EXPECT_THAT(ValueOf<RecoverySummary>(recover).surviving,
              ElementsAre("foreign"));
  EXPECT_EQ(Running(), "");
  EXPECT_THAT(Status(Call(Command::kDestroy, "foreign")),
              StatusIs(absl::StatusCode::kNotFound));
}

class OrphanPolicyTest : public ::testing::Test {
 protected:
  static LifecycleOptions With(OrphanPolicy policy) {
    LifecycleOptions options = SmallOptions();
    options.orphans = policy;
    return options;
  }
};

TEST_F(OrphanPolicyTest, AllDestroysWhateverIsListedAndNotRecovered) {
  LifecycleHarness harness(With(OrphanPolicy::kAll));
  const CallId recover = harness.Recovered(
      {{"mine", State::kRunning, std::nullopt}}, {"mine", "foreign"});
  EXPECT_EQ(harness.Running(), "wait mine, wait foreign, destroy foreign");
  harness.AnswerWait("foreign", 9);
  harness.Succeed(Command::kDestroy, "foreign");
  EXPECT_THAT(harness.ValueOf<RecoverySummary>(recover).destroyed,
              ElementsAre("foreign"));
  EXPECT_THAT(harness.ValueOf<RecoverySummary>(recover).recovered,
              ElementsAre("mine"));
}

TEST_F(OrphanPolicyTest, ReportTouchesNoneAndDestroyWorksOnThem) {
  LifecycleHarness harness(With(OrphanPolicy::kReport));
  const CallId recover = harness.Recovered({}, {"foreign"});
  EXPECT_THAT(harness.ValueOf<RecoverySummary>(recover).surviving,
              ElementsAre("foreign"));
  EXPECT_EQ(harness.Running(), "wait foreign");
  const CallId destroy = harness.Call(Command::kDestroy, "foreign");
  harness.AnswerWait("foreign", 9);
  harness.Succeed(Command::kDestroy, "foreign");
  ASSERT_THAT(harness.Status(destroy), IsOk());
  EXPECT_EQ(harness.TerminationOf(destroy).status(), 9);
}

TEST_F(LifecycleTest, WhatIsListedAndIsNoIdIsIgnoredWithANotice) {
  const CallId recover = Recovered({}, {"../etc", "", "a\nb"});
  EXPECT_THAT(ValueOf<RecoverySummary>(recover).surviving, IsEmpty());
  EXPECT_EQ(events().size(), 3u);
  EXPECT_THAT(events().back().detail, HasSubstr("no id"));
}

TEST_F(LifecycleTest, OrphansAreDestroyedAFewAtATime) {
  std::vector<KnownContainer> known;
  for (const char* id : {"a", "b", "c"}) {
    known.push_back({id, State::kUnacknowledged, std::nullopt});
  }
  const CallId recover = Recovered(known, {});
  EXPECT_EQ(Running(), "wait a, destroy a, wait b, destroy b");
  AnswerWait("a", 9);
  Succeed(Command::kDestroy, "a");
  EXPECT_EQ(Running(), "wait b, destroy b, wait c, destroy c");
  // Nobody knows how b ended; and c cannot be destroyed.
  Fail(Command::kWait, "b");
  Succeed(Command::kDestroy, "b");
  AnswerWait("c", 0);
  for (int i = 0; i < 3; ++i) {
    Fail(Command::kDestroy, "c");
    AnswerList({"c"}, "c");
    if (i < 2) Fire(absl::Milliseconds(100) * (1 << i));
  }
  EXPECT_THAT(ValueOf<RecoverySummary>(recover).destroyed,
              ElementsAre("a", "b"));
  EXPECT_THAT(ValueOf<RecoverySummary>(recover).surviving, ElementsAre("c"));
}

// --- Launch ---

TEST_F(LifecycleTest, CallsQueueBehindTheLaunchInOrder) {
  Recovered();
  const CallId launch = Call(Command::kLaunch, "a");
  const CallId wait = Call(Command::kWait, "a");
  const CallId update = Call(Command::kUpdate, "a");
  Call(Command::kUsage, "a");
  EXPECT_EQ(Running(), "launch a");
  Succeed(Command::kLaunch, "a");
  EXPECT_THAT(Status(launch), IsOk());
  EXPECT_EQ(Running(), "wait a, update a, usage a");
  Succeed(Command::kUpdate, "a");
  EXPECT_THAT(Status(update), IsOk());
  EXPECT_FALSE(HasReturned(wait));
}

TEST_F(LifecycleTest, FailedLaunchIsFollowedByDestroy) {
  Recovered();
  const CallId launch = Call(Command::kLaunch, "a");
  const CallId wait = Call(Command::kWait, "a");
  const CallId update = Call(Command::kUpdate, "a");
  Fail(Command::kLaunch, "a", absl::InternalError("no image"));
  for (const CallId call : {launch, wait, update}) {
    EXPECT_THAT(Status(call),
                StatusIs(absl::StatusCode::kInternal, HasSubstr("no image")));
  }
  EXPECT_EQ(Running(), "destroy a");
  EXPECT_THAT(Status(Call(Command::kLaunch, "a")),
              StatusIs(absl::StatusCode::kAborted));
  Succeed(Command::kDestroy, "a");
  EXPECT_THAT(Status(Call(Command::kWait, "a")),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(LifecycleTest, LaunchOfUnknownOutcomeIsDestroyedAndNotRepeated) {
  Recovered();
  const CallId launch = Call(Command::kLaunch, "a");
  Fail(Command::kLaunch, "a", absl::UnavailableError("helper gone"),
       Outcome::kUnknown);
  EXPECT_THAT(Status(launch), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Running(), "destroy a");
}

TEST_F(LifecycleTest, LaunchThatNeverStartedLeavesNothingToDestroy) {
  Recovered();
  const CallId launch = Call(Command::kLaunch, "a");
  Fail(Command::kLaunch, "a", absl::FailedPreconditionError("no such program"),
       Outcome::kNotStarted);
  EXPECT_THAT(Status(launch), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(Running(), "");
  EXPECT_THAT(Status(Call(Command::kDestroy, "a")),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(LifecycleTest, LaunchOfAnIdThatIsHeldIsRefused) {
  Recovered();
  Launched("a");
  EXPECT_THAT(Status(Call(Command::kLaunch, "a")),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

// --- Destroy during launch ---

TEST_F(LifecycleTest, DestroyDuringLaunchRunsDestroyAfterLaunchEnds) {
  Recovered();
  const CallId launch = Call(Command::kLaunch, "a");
  const CallId wait = Call(Command::kWait, "a");
  const CallId usage = Call(Command::kUsage, "a");
  const CallId destroy = Call(Command::kDestroy, "a");
  EXPECT_THAT(Status(usage), StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(Running(), "launch a");
  Succeed(Command::kLaunch, "a");
  EXPECT_THAT(Status(launch), StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(Running(), "wait a, destroy a");
  Succeed(Command::kDestroy, "a");
  AnswerWait("a", 9);
  ExpectTermination(destroy, 9);
  ExpectTermination(wait, 9);
}

TEST_F(LifecycleTest, DestroyCancelsALaunchThatOutlivesItsGrace) {
  Recovered();
  const CallId launch = Call(Command::kLaunch, "a");
  const CallId destroy = Call(Command::kDestroy, "a");
  EXPECT_FALSE(Cancelled(Command::kLaunch, "a"));
  Fire(absl::Seconds(5));
  EXPECT_TRUE(Cancelled(Command::kLaunch, "a"));
  EXPECT_EQ(Running(), "launch a") << "destroy must not begin before";
  Fail(Command::kLaunch, "a", absl::CancelledError("killed"));
  EXPECT_THAT(Status(launch), StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(Running(), "destroy a");
  Succeed(Command::kDestroy, "a");
  ExpectMadeUp(destroy, "killed");
}

TEST_F(LifecycleTest, DestroyOfALaunchThatHasNotBegunStartsNothing) {
  Recovered();
  for (const char* id : {"1", "2", "3", "4"}) Call(Command::kLaunch, id);
  const CallId launch = Call(Command::kLaunch, "a");
  EXPECT_FALSE(Runs(Command::kLaunch, "a"));
  const CallId destroy = Call(Command::kDestroy, "a");
  EXPECT_THAT(Status(launch), StatusIs(absl::StatusCode::kAborted));
  ExpectMadeUp(destroy, "had not begun");
  Succeed(Command::kLaunch, "1");
  EXPECT_FALSE(Runs(Command::kLaunch, "a"));
}

// --- Wait ---

TEST_F(LifecycleTest, DestroyOfAnUnlistedContainerThatWaitDeniesIsNoTrouble) {
  const CallId recover = Recovered({{"a", State::kRunning, std::nullopt}});
  const CallId destroy = Call(Command::kDestroy, "a");
  Fail(Command::kWait, "a");
  Succeed(Command::kDestroy, "a");
  ASSERT_THAT(Status(destroy), IsOk());
  ASSERT_THAT(Status(recover), IsOk());
}

TEST_F(LifecycleTest, OneWaitAtTheProgramServesAllCallers) {
  Recovered();
  Launched("a");
  const CallId first = Call(Command::kWait, "a");
  const CallId second = Call(Command::kWait, "a");
  EXPECT_EQ(Running(), "wait a");
  AnswerWait("a", 3 << 8);
  ExpectTermination(first, 3 << 8);
  ExpectTermination(second, 3 << 8);
  ExpectTermination(Call(Command::kWait, "a"), 3 << 8);
  EXPECT_EQ(Running(), "");
}

TEST_F(LifecycleTest, DestroyOfAnEndedContainerReturnsItsTrueTermination) {
  Recovered();
  Launched("a");
  AnswerWait("a", 3 << 8);
  const CallId destroy = Call(Command::kDestroy, "a");
  EXPECT_EQ(Running(), "destroy a");
  Succeed(Command::kDestroy, "a");
  ExpectTermination(destroy, 3 << 8);
  EXPECT_THAT(Status(Call(Command::kWait, "a")),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(LifecycleTest, AWaitThatDiesIsAskedAgain) {
  Recovered();
  Launched("a");
  const CallId wait = Call(Command::kWait, "a");
  Fail(Command::kWait, "a");
  EXPECT_EQ(Running(), "");
  Fire(absl::Milliseconds(100));
  Fail(Command::kWait, "a");
  Fire(absl::Milliseconds(200));
  AnswerWait("a", 1 << 8);
  ExpectTermination(wait, 1 << 8);
}

TEST_F(LifecycleTest, AContainerWhoseWaitStaysDeadIsDestroyedAndReported) {
  Recovered();
  Launched("a");
  const CallId wait = Call(Command::kWait, "a");
  Fail(Command::kWait, "a");
  Fire(absl::Milliseconds(100));
  Fail(Command::kWait, "a");
  Fire(absl::Milliseconds(200));
  Fail(Command::kWait, "a", absl::InternalError("wait broke"));
  EXPECT_EQ(Running(), "destroy a");
  EXPECT_FALSE(HasReturned(wait));
  Succeed(Command::kDestroy, "a");
  ExpectMadeUp(wait,
               "the agent destroyed it, because its `wait` failed 3 times; the "
               "first time: exited with status 1");
}

TEST_F(LifecycleTest, TheFirstCauseIsToldAlsoIfDestroyFailsAfterIt) {
  Recovered();
  Launched("a");
  const CallId wait = Call(Command::kWait, "a");
  Fail(Command::kWait, "a", absl::InternalError("the first cause"));
  Fire(absl::Milliseconds(100));
  Fail(Command::kWait, "a");
  Fire(absl::Milliseconds(200));
  Fail(Command::kWait, "a");
  for (int i = 0; i < 3; ++i) {
    Fail(Command::kDestroy, "a", absl::InternalError("no such process"));
    AnswerList({"a"}, "a");
    if (i < 2) Fire(absl::Milliseconds(100) * (1 << i));
  }
  ExpectMadeUp(wait, "no such process");
  ExpectMadeUp(wait, "the first cause");
  const CallId destroy = Call(Command::kDestroy, "a");
  Succeed(Command::kDestroy, "a");
  ExpectMadeUp(destroy, "the first cause");
}

TEST_F(LifecycleTest, AWaitThatFailsIsTroubleAtOnceUntilItWorks) {
  Recovered();
  Launched("a");
  Fail(Command::kWait, "a", absl::InternalError("broke"));
  EXPECT_EQ(events().back().kind, ContainerEvent::Kind::kTrouble);
  EXPECT_EQ(events().back().command, Command::kWait);
  EXPECT_EQ(events().back().container, "a");
  EXPECT_THAT(events().back().status, StatusIs(absl::StatusCode::kInternal));
  Fire(absl::Milliseconds(100));
  Fail(Command::kWait, "a", absl::InternalError("broke"));
  EXPECT_EQ(events().back().kind, ContainerEvent::Kind::kNotice);
  Fire(absl::Milliseconds(200));
  Fire(absl::Seconds(60));
  EXPECT_EQ(events().back().kind, ContainerEvent::Kind::kTrouble);
  EXPECT_THAT(events().back().status, IsOk());
}

// Every `wait` fails once when a helper is replaced.
TEST_F(LifecycleTest, AWaitThatIsLostOnceIsNoTrouble) {
  Recovered();
  Launched("a");
  Fail(Command::kWait, "a", absl::UnavailableError("away"), Outcome::kUnknown);
  EXPECT_EQ(events().back().kind, ContainerEvent::Kind::kNotice);
  Fire(absl::Milliseconds(100));
  Fail(Command::kWait, "a", absl::UnavailableError("away"),
       Outcome::kNotStarted);
  EXPECT_EQ(events().back().kind, ContainerEvent::Kind::kTrouble);
}

TEST_F(LifecycleTest, ADestroyThatIsTriedAgainIsTrouble) {
  Recovered();
  Launched("a");
  Call(Command::kDestroy, "a");
  Fail(Command::kDestroy, "a");
  AnswerList({"a"}, "a");
  EXPECT_EQ(events().back().kind, ContainerEvent::Kind::kTrouble);
  EXPECT_EQ(events().back().command, Command::kDestroy);
}

TEST_F(LifecycleTest, AProgramThatIsAwayForLongCostsNoContainer) {
  Recovered();
  Launched("a");
  CallId wait = Call(Command::kWait, "a");
  for (int i = 1; i <= 100; ++i) {
    Fail(Command::kWait, "a", absl::UnavailableError("away"),
         Outcome::kNotStarted);
    // Nobody waits in silence.
    EXPECT_EQ(HasReturned(wait), i >= SmallOptions().max_waits_not_started);
    if (HasReturned(wait)) {
      EXPECT_THAT(Status(wait),
                  StatusIs(absl::StatusCode::kUnavailable, HasSubstr("away")));
      wait = Call(Command::kWait, "a");
    }
    ASSERT_EQ(timers().size(), 1u);
    EXPECT_LE(timers().begin()->second, absl::Seconds(30));
    FireTimer(timers().begin()->first);
    ASSERT_EQ(Running(), "wait a");
  }
  // Later failures have all their tries again.
  Fail(Command::kWait, "a");
  Fire(absl::Milliseconds(100));
  AnswerWait("a", 3 << 8);
  ExpectTermination(wait, 3 << 8);
}

TEST_F(LifecycleTest, AWaitThatRanForLongHasAllItsTriesAgain) {
  Recovered();
  Launched("a");
  Fail(Command::kWait, "a");
  Fire(absl::Milliseconds(100));
  Fail(Command::kWait, "a");
  Fire(absl::Milliseconds(200));
  Fire(absl::Seconds(60));
  Fail(Command::kWait, "a");
  Fire(absl::Milliseconds(100));
  EXPECT_EQ(Running(), "wait a");
}

TEST_F(LifecycleTest, TooManyEndedContainersCostTheOldest) {
  Recovered();
  for (const char* id : {"a", "b", "c"}) {
    Launched(id);
    AnswerWait(id, 0);
  }
  EXPECT_EQ(Running(), "destroy a");
  EXPECT_THAT(events().back().detail, HasSubstr("the oldest"));
  Succeed(Command::kDestroy, "a");
  EXPECT_THAT(Status(Call(Command::kWait, "a")),
              StatusIs(absl::StatusCode::kNotFound));
  ExpectTermination(Call(Command::kWait, "b"), 0);
}

TEST_F(LifecycleTest, WhatCannotBeDestroyedIsNotDestroyedAgainToMakeRoom) {
  Recovered();
  for (const char* id : {"a", "b", "c"}) {
    Call(Command::kLaunch, id);
    Fail(Command::kLaunch, id);
    for (int i = 0; i < 3; ++i) {
      Fail(Command::kDestroy, id);
      AnswerList({"a", "b", "c"}, id);
      if (i < 2) Fire(absl::Milliseconds(100) * (1 << i));
    }
  }
  EXPECT_EQ(Running(), "");
  EXPECT_TRUE(timers().empty());
}

// --- Destroy ---

TEST_F(LifecycleTest, SeveralDestroysShareOne) {
  Recovered();
  Launched("a");
  const CallId first = Call(Command::kDestroy, "a");
  const CallId second = Call(Command::kDestroy, "a");
  EXPECT_EQ(Running(), "wait a, destroy a");
  AnswerWait("a", 9);
  Succeed(Command::kDestroy, "a");
  ExpectTermination(first, 9);
  ExpectTermination(second, 9);
}

TEST_F(LifecycleTest, WaitHasAGraceAfterDestroyToTellTheTruth) {
  Recovered();
  Launched("a");
  const CallId destroy = Call(Command::kDestroy, "a");
  Succeed(Command::kDestroy, "a");
  EXPECT_FALSE(HasReturned(destroy));
  AnswerWait("a", 15);
  ExpectTermination(destroy, 15);
}

TEST_F(LifecycleTest, AWaitThatOutlivesItsGraceIsCancelled) {
  Recovered();
  Launched("a");
  const CallId destroy = Call(Command::kDestroy, "a");
  Succeed(Command::kDestroy, "a");
  Fire(absl::Seconds(3));
  EXPECT_TRUE(Cancelled(Command::kWait, "a"));
  EXPECT_FALSE(HasReturned(destroy)) << "it may still be at the program";
  Fail(Command::kWait, "a", absl::CancelledError("killed"));
  ExpectMadeUp(destroy, "did not return");
  Launched("a");
}

TEST_F(LifecycleTest, AWaitThatAnswersWhileItIsCancelledIsBelieved) {
  Recovered();
  Launched("a");
  const CallId destroy = Call(Command::kDestroy, "a");
  Succeed(Command::kDestroy, "a");
  Fire(absl::Seconds(3));
  AnswerWait("a", 9);
  ExpectTermination(destroy, 9);
}

TEST_F(LifecycleTest, AFailedDestroyOfWhatIsNotListedIsSuccess) {
  Recovered();
  Launched("a");
  const CallId destroy = Call(Command::kDestroy, "a");
  AnswerWait("a", 9);
  Fail(Command::kDestroy, "a");
  EXPECT_EQ(Running(), "containers a");
  AnswerList({"b"}, "a");
  ExpectTermination(destroy, 9);
}

TEST_F(LifecycleTest, NotBeingListedProvesNothingOfADestroyThatNeverRan) {
  for (const Outcome outcome : {Outcome::kNotStarted, Outcome::kUnknown}) {
    LifecycleHarness harness(SmallOptions());
    harness.Recovered();
    harness.Launched("a");
    const CallId destroy = harness.Call(Command::kDestroy, "a");
    harness.Fail(Command::kDestroy, "a", absl::UnavailableError("away"),
                 outcome);
    EXPECT_FALSE(harness.Runs(Command::kContainers, "a"));
    harness.Fire(absl::Milliseconds(100));
    EXPECT_TRUE(harness.Runs(Command::kDestroy, "a"));
    EXPECT_FALSE(harness.HasReturned(destroy));
    harness.Succeed(Command::kDestroy, "a");
    harness.AnswerWait("a", 9);
    EXPECT_THAT(harness.Status(destroy), IsOk());
  }
}

TEST_F(LifecycleTest, ADestroyThatCannotBeStartedIsReportedAndItIsStillHeld) {
  Recovered();
  Launched("a");
  const CallId destroy = Call(Command::kDestroy, "a");
  for (int delay = 100; !HasReturned(destroy); delay *= 2) {
    Fail(Command::kDestroy, "a", absl::UnavailableError("away"),
         Outcome::kNotStarted);
    if (!HasReturned(destroy)) Fire(absl::Milliseconds(delay));
  }
  EXPECT_THAT(Status(destroy), StatusIs(absl::StatusCode::kUnavailable));
  const CallId wait = Call(Command::kWait, "a");
  AnswerWait("a", 3 << 8);
  ExpectTermination(wait, 3 << 8);
}

TEST_F(LifecycleTest, AFailingDestroyIsRetriedReportedAndCanBeCalledAgain) {
  Recovered();
  Launched("a");
  const CallId wait = Call(Command::kWait, "a");
  const CallId destroy = Call(Command::kDestroy, "a");
  Fail(Command::kDestroy, "a");
  AnswerList({"a"}, "a");
  Fire(absl::Milliseconds(100));
  Fail(Command::kDestroy, "a");
  Fail(Command::kContainers, "a");
  Fire(absl::Milliseconds(200));
  Fail(Command::kDestroy, "a", absl::InternalError("device busy"));
  AnswerList({"a"}, "a");
  EXPECT_THAT(Status(destroy),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("device busy")));
  EXPECT_FALSE(HasReturned(wait)) << "it still runs, and is still watched";
  EXPECT_EQ(Running(), "wait a");
  const CallId again = Call(Command::kDestroy, "a");
  Succeed(Command::kDestroy, "a");
  AnswerWait("a", 9);
  ExpectTermination(again, 9);
  ExpectTermination(wait, 9);
}

TEST_F(LifecycleTest, WhenNeitherWaitNorDestroyWorkWaitersAreToldSo) {
  Recovered();
  const CallId launch = Call(Command::kLaunch, "a");
  Fail(Command::kLaunch, "a", absl::InternalError("half made"));
  const CallId wait = Call(Command::kWait, "a");
  for (int i = 0; i < 3; ++i) {
    Fail(Command::kDestroy, "a");
    AnswerList({"a"}, "a");
    if (i < 2) Fire(absl::Milliseconds(100) * (1 << i));
  }
  EXPECT_THAT(Status(launch), StatusIs(absl::StatusCode::kInternal));
  ExpectMadeUp(wait, "could not be destroyed");
  Call(Command::kDestroy, "a");
  EXPECT_EQ(Running(), "destroy a");
}

// --- Ids that come again ---

TEST_F(LifecycleTest, WhatRunsAboutAContainerEndsBeforeItsIdIsFree) {
  for (const Command command : {Command::kUpdate, Command::kUsage}) {
    LifecycleHarness harness(SmallOptions());
    harness.Recovered();
    harness.Launched("a");
    const CallId call = harness.Call(command, "a");
    const CallId destroy = harness.Call(Command::kDestroy, "a");
    EXPECT_FALSE(harness.Cancelled(command, "a"));
    harness.AnswerWait("a", 9);
    harness.Succeed(Command::kDestroy, "a");
    EXPECT_TRUE(harness.Cancelled(command, "a"));
    EXPECT_FALSE(harness.HasReturned(destroy));
    EXPECT_THAT(harness.Status(harness.Call(Command::kLaunch, "a")),
                StatusIs(absl::StatusCode::kAborted));
    harness.Fail(command, "a", absl::CancelledError("killed"));
    EXPECT_THAT(harness.Status(call), StatusIs(absl::StatusCode::kAborted));
    EXPECT_THAT(harness.Status(destroy), IsOk());
    harness.Launched("a");
    EXPECT_EQ(harness.Running(), "wait a");
  }
}

TEST_F(LifecycleTest, ARepeatThatIsDueDoesNotReachTheNextOfTheName) {
  Recovered();
  Launched("a");
  const CallId update = Call(Command::kUpdate, "a");
  Fail(Command::kUpdate, "a", absl::UnavailableError("away"),
       Outcome::kNotStarted);
  Call(Command::kDestroy, "a");
  EXPECT_THAT(Status(update), StatusIs(absl::StatusCode::kAborted));
  AnswerWait("a", 9);
  Succeed(Command::kDestroy, "a");
  Launched("a");
  EXPECT_TRUE(timers().empty());
  EXPECT_EQ(Running(), "wait a");
}

TEST_F(LifecycleTest, AFailureDuringDestroyIsNotRepeatedAfterIt) {
  Recovered();
  Launched("a");
  const CallId update = Call(Command::kUpdate, "a");
  Call(Command::kDestroy, "a");
  Fail(Command::kUpdate, "a", absl::UnavailableError("away"),
       Outcome::kNotStarted);
  EXPECT_THAT(Status(update), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_TRUE(timers().empty());
}

TEST_F(LifecycleTest, WhatMayStillBeAtWorkKeepsTheIdForAWhile) {
  for (const Command command : {Command::kUpdate, Command::kDestroy}) {
    LifecycleHarness harness(SmallOptions());
    harness.Recovered();
    harness.Launched("a");
    if (command == Command::kUpdate) harness.Call(command, "a");
    const CallId destroy = harness.Call(Command::kDestroy, "a");
    harness.Fail(command, "a", absl::DeadlineExceededError("hangs"),
                 Outcome::kUnknown);
    if (command == Command::kDestroy) harness.Fire(absl::Milliseconds(100));
    harness.AnswerWait("a", 9);
    harness.Succeed(Command::kDestroy, "a");
    EXPECT_THAT(harness.Status(destroy), IsOk());
    EXPECT_THAT(harness.Status(harness.Call(Command::kWait, "a")),
                StatusIs(absl::StatusCode::kNotFound));
    EXPECT_THAT(harness.Status(harness.Call(Command::kDestroy, "a")),
                StatusIs(absl::StatusCode::kNotFound));
    EXPECT_THAT(
        harness.Status(harness.Call(Command::kLaunch, "a")),
        StatusIs(absl::StatusCode::kAborted, HasSubstr("use another id")));
    harness.Fire(absl::Seconds(50));
    harness.Launched("a");
  }
}

TEST_F(LifecycleTest, AnUpdateUnderWayIsNotRobbedOfItsResultByDestroy) {
  Recovered();
  Launched("a");
  const CallId sent = Call(Command::kUpdate, "a");
  const CallId pending = Call(Command::kUpdate, "a");
  Call(Command::kDestroy, "a");
  EXPECT_THAT(Status(pending), StatusIs(absl::StatusCode::kAborted));
  AnswerWait("a", 9);
  Succeed(Command::kDestroy, "a");
  Succeed(Command::kUpdate, "a");
  EXPECT_THAT(Status(sent), IsOk());
}

// --- Update and usage ---

TEST_F(LifecycleTest, OfManyUpdatesOnlyTheNewestFollows) {
  Recovered();
  Launched("a");
  const CallId first = Call(Command::kUpdate, "a");
  const CallId second = Call(Command::kUpdate, "a");
  const CallId third = Call(Command::kUpdate, "a");
  EXPECT_EQ(Running(), "wait a, update a");
  Succeed(Command::kUpdate, "a");
  EXPECT_THAT(Status(first), IsOk());
  EXPECT_FALSE(HasReturned(second));
  EXPECT_EQ(running().at(Find(Command::kUpdate, "a")).request, third);
  Fail(Command::kUpdate, "a");
  EXPECT_THAT(Status(second), StatusIs(absl::StatusCode::kInternal));
  EXPECT_THAT(Status(third), StatusIs(absl::StatusCode::kInternal));
}

TEST_F(LifecycleTest, AnUpdateThatIsNotSentYetGivesWayToTheNewest) {
  Recovered();
  Call(Command::kLaunch, "a");
  const CallId first = Call(Command::kUpdate, "a");
  const CallId second = Call(Command::kUpdate, "a");
  Succeed(Command::kLaunch, "a");
  EXPECT_EQ(running().at(Find(Command::kUpdate, "a")).request, second);
  Succeed(Command::kUpdate, "a");
  EXPECT_THAT(Status(first), IsOk());
  EXPECT_THAT(Status(second), IsOk());
}

TEST_F(LifecycleTest, UsageCallsShareOneInvocation) {
  Recovered();
  Launched("a");
  const CallId first = Call(Command::kUsage, "a");
  const CallId second = Call(Command::kUsage, "a");
  EXPECT_EQ(Running(), "wait a, usage a");
  CommandResult result;
  result.outcome = Outcome::kAnswered;
  result.usage.emplace().set_mem_rss_bytes(4096);
  Answer(Command::kUsage, "a", result);
  for (const CallId call : {first, second}) {
    EXPECT_EQ(
        ValueOf<std::optional<wire::ResourceStatistics>>(call)->mem_rss_bytes(),
        4096u);
  }
}

TEST_F(LifecycleTest, IdempotentCommandsOfUnknownOutcomeAreRepeated) {
  Recovered();
  Launched("a");
  const CallId update = Call(Command::kUpdate, "a");
  const OpId op = Find(Command::kUpdate, "a");
  Fail(Command::kUpdate, "a", absl::InternalError("gone"), Outcome::kUnknown);
  Fire(absl::Milliseconds(100));
  EXPECT_EQ(Find(Command::kUpdate, "a"), op) << "the same, so its time runs on";
  Fail(Command::kUpdate, "a", absl::InternalError("gone"), Outcome::kUnknown);
  Fire(absl::Milliseconds(200));
  Fail(Command::kUpdate, "a", absl::InternalError("gone"), Outcome::kUnknown);
  EXPECT_THAT(Status(update), StatusIs(absl::StatusCode::kInternal));
}

TEST_F(LifecycleTest, AnUpdateWhoseFirstTryIsUnknownMayHaveBeenDone) {
  Recovered();
  Launched("a");
  for (const Outcome first : {Outcome::kUnknown, Outcome::kNotStarted}) {
    const CallId update = Call(Command::kUpdate, "a");
    Fail(Command::kUpdate, "a", absl::UnavailableError("lost"), first);
    Fire(absl::Milliseconds(100));
    Fail(Command::kUpdate, "a", absl::UnavailableError("not started"),
         Outcome::kNotStarted);
    Fire(absl::Milliseconds(200));
    Fail(Command::kUpdate, "a", absl::UnavailableError("not started"),
         Outcome::kNotStarted);
    EXPECT_EQ(Status(update).message(),
              first == Outcome::kUnknown
                  ? "not started; a try before it may have been done"
                  : "not started");
  }
}

TEST_F(LifecycleTest, ARepeatThatWaitsForItsTurnIsAbortedByDestroy) {
  Recovered();
  Launched("a");
  const CallId usage = Call(Command::kUsage, "a");
  Fail(Command::kUsage, "a", absl::UnavailableError("away"));
  Call(Command::kDestroy, "a");
  EXPECT_THAT(Status(usage), StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(Running(), "wait a, destroy a");
}

TEST_F(LifecycleTest, AListThatWasBegunBeforeTheCallIsNotItsAnswer) {
  Recovered();
  const CallId first = List();
  const CallId second = List();
  AnswerList({"a"});
  EXPECT_TRUE(HasReturned(first));
  EXPECT_FALSE(HasReturned(second));
  AnswerList({"a", "b"});
  EXPECT_THAT(ValueOf<std::vector<ContainerId>>(second), ElementsAre("a", "b"));
}

// --- Bounds ---

TEST_F(LifecycleTest, DestroyAndListsPassWhenAllPlacesAreTaken) {
  Recovered();
  Launched("x");
  for (const char* id : {"1", "2", "3", "4", "5"}) Call(Command::kLaunch, id);
  EXPECT_EQ(Running(), "wait x, launch 1, launch 2, launch 3, launch 4");
  Call(Command::kDestroy, "x");
  List();
  EXPECT_EQ(Running(),
            "wait x, launch 1, launch 2, launch 3, launch 4, destroy x, "
            "containers");
  Succeed(Command::kLaunch, "3");
  EXPECT_TRUE(Runs(Command::kLaunch, "5"));
}

TEST_F(LifecycleTest, TooManyCallsForOneContainerAreRefusedAtOnce) {
  Recovered();
  Launched("a");
  for (int i = 0; i < 4; ++i) Call(Command::kWait, "a");
  EXPECT_THAT(Status(Call(Command::kWait, "a")),
              StatusIs(absl::StatusCode::kResourceExhausted));
  const CallId destroy = Call(Command::kDestroy, "a");
  EXPECT_TRUE(Runs(Command::kDestroy, "a")) << "destroy has headroom";
  AnswerWait("a", 0);
  Succeed(Command::kDestroy, "a");
  ExpectTermination(destroy, 0);
  Launched("a");
  Call(Command::kWait, "a");
}

TEST_F(LifecycleTest, TooManyCallsInAllAreRefusedAtOnce) {
  Recovered();
  for (int i = 0; i < 40; ++i) List();
  EXPECT_THAT(Status(List()), StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(LifecycleTest, ShutdownReturnsEveryCallWithCancelled) {
  Recovered();
  Launched("a");
  std::vector<CallId> calls = {
      Call(Command::kWait, "a"), Call(Command::kUsage, "a"),
      Call(Command::kUpdate, "a"), Call(Command::kLaunch, "b"), List()};
  Shut();
  calls.push_back(Call(Command::kWait, "a"));
  calls.push_back(Recover());
  for (const CallId call : calls) {
    EXPECT_THAT(Status(call), StatusIs(absl::StatusCode::kCancelled));
  }
}

// --- Every state × every call ---

enum class In { kUnknown, kLaunching, kRunning, kEnded, kDestroying };

using StateAndCall = std::tuple<In, Command, std::string>;
class EveryCallInEveryState
    : public LifecycleTest,
      public ::testing::WithParamInterface<StateAndCall> {};

// The immediate result of a call ("pending" if it has none), and the commands
// that run then.
TEST_P(EveryCallInEveryState, DoesWhatTheTableSays) {
  const auto& [state, command, expected] = GetParam();
  Recovered();
  if (state == In::kLaunching) Call(Command::kLaunch, "a");
  if (state > In::kLaunching) Launched("a");
  if (state == In::kEnded) AnswerWait("a", 0);
  if (state == In::kDestroying) Call(Command::kDestroy, "a");
  const CallId call = Call(command, "a");
  const std::string came_to =
      HasReturned(call) ? absl::StatusCodeToString(Status(call).code())
                        : "pending";
  EXPECT_EQ(absl::StrCat(came_to, "; ", Running()), expected);
}

INSTANTIATE_TEST_SUITE_P(
    All, EveryCallInEveryState,
    ::testing::Values(
        StateAndCall{In::kUnknown, Command::kLaunch, "pending; launch a"},
        StateAndCall{In::kUnknown, Command::kUpdate, "NOT_FOUND; "},
        StateAndCall{In::kUnknown, Command::kUsage, "NOT_FOUND; "},
        StateAndCall{In::kUnknown, Command::kWait, "NOT_FOUND; "},
        StateAndCall{In::kUnknown, Command::kDestroy, "NOT_FOUND; "},
        StateAndCall{In::kLaunching, Command::kLaunch,
                     "ALREADY_EXISTS; launch a"},
        StateAndCall{In::kLaunching, Command::kUpdate, "pending; launch a"},
        StateAndCall{In::kLaunching, Command::kUsage, "pending; launch a"},
        StateAndCall{In::kLaunching, Command::kWait, "pending; launch a"},
        StateAndCall{In::kLaunching, Command::kDestroy, "pending; launch a"},
        StateAndCall{In::kRunning, Command::kLaunch, "ALREADY_EXISTS; wait a"},
        StateAndCall{In::kRunning, Command::kUpdate,
                     "pending; wait a, update a"},
        StateAndCall{In::kRunning, Command::kUsage, "pending; wait a, usage a"},
        StateAndCall{In::kRunning, Command::kWait, "pending; wait a"},
        StateAndCall{In::kRunning, Command::kDestroy,
                     "pending; wait a, destroy a"},
        StateAndCall{In::kEnded, Command::kLaunch, "ALREADY_EXISTS; "},
        StateAndCall{In::kEnded, Command::kUpdate, "FAILED_PRECONDITION; "},
        StateAndCall{In::kEnded, Command::kUsage, "pending; usage a"},
        StateAndCall{In::kEnded, Command::kWait, "OK; "},
        StateAndCall{In::kEnded, Command::kDestroy, "pending; destroy a"},
        StateAndCall{In::kDestroying, Command::kLaunch,
                     "ABORTED; wait a, destroy a"},
        StateAndCall{In::kDestroying, Command::kUpdate,
                     "ABORTED; wait a, destroy a"},
        StateAndCall{In::kDestroying, Command::kUsage,
                     "ABORTED; wait a, destroy a"},
        StateAndCall{In::kDestroying, Command::kWait,
                     "pending; wait a, destroy a"},
        StateAndCall{In::kDestroying, Command::kDestroy,
                     "pending; wait a, destroy a"}));

}  // namespace
}  // namespace external_containerizer

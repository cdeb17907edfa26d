// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/wire/exit.h"

#include <limits.h>
#include <signal.h>

#include <ostream>

#include "absl/strings/escaping.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace wire {

void PrintTo(const Exit& exit, std::ostream* os) { *os << exit.ToString(); }

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Exit Exited(int code) { return Exit{Exit::Kind::kExited, code}; }
Exit Signaled(int signal) { return Exit{Exit::Kind::kSignaled, signal}; }
const Exit kUnknown;

Termination WithStatus(int status) {
  Termination termination;
  termination.set_status(status);
  return termination;
}

Exit OfWaitStatus(int status) { return ExitOf(WithStatus(status)); }
Exit OfExitCode(int status) {
  Termination termination = WithStatus(status);
  NormalizeStatus(ExitConvention::kExitCode, termination);
  return ExitOf(termination);
}

TEST(ExitOfTest, ReadsWaitStatus) {
  EXPECT_EQ(OfWaitStatus(0), Exited(0));
  EXPECT_EQ(OfWaitStatus(3 << 8), Exited(3));
  EXPECT_EQ(OfWaitStatus(64 << 8), Exited(64));
  EXPECT_EQ(OfWaitStatus(255 << 8), Exited(255));
  EXPECT_EQ(OfWaitStatus(SIGKILL), Signaled(SIGKILL));
  EXPECT_EQ(OfWaitStatus(1), Signaled(SIGHUP));
  EXPECT_EQ(OfWaitStatus(64), Signaled(64));
  EXPECT_EQ(OfWaitStatus(SIGSEGV | 0x80), Signaled(SIGSEGV));
}

TEST(ExitOfTest, ReadsNegatedSignalsInBothConventions) {
  EXPECT_EQ(OfWaitStatus(-SIGTERM), Signaled(SIGTERM));
  EXPECT_EQ(OfWaitStatus(-64), Signaled(64));
  EXPECT_EQ(OfExitCode(-SIGKILL), Signaled(SIGKILL));
  EXPECT_EQ(OfExitCode(-64), Signaled(64));
}

TEST(ExitOfTest, ReadsBareExitCodesIfAskedTo) {
  EXPECT_EQ(OfExitCode(0), Exited(0));
  EXPECT_EQ(OfExitCode(3), Exited(3));
  EXPECT_EQ(OfExitCode(137), Exited(137));
  EXPECT_EQ(OfExitCode(255), Exited(255));
}

TEST(NormalizeStatusTest, WhatEitherConventionMeansIsSaidAsAWaitStatus) {
  const auto normal = [](ExitConvention convention, int status) {
    Termination termination = WithStatus(status);
    NormalizeStatus(convention, termination);
    return termination;
  };
  EXPECT_EQ(normal(ExitConvention::kWaitStatus, 3).status(), 3);
  EXPECT_EQ(normal(ExitConvention::kExitCode, 3).status(), 3 << 8);
  EXPECT_EQ(normal(ExitConvention::kExitCode, -9).status(), 9);
  EXPECT_FALSE(normal(ExitConvention::kExitCode, 3 << 8).has_status());
}

TEST(ExitOfTest, IsUnknownWithoutStatus) {
  EXPECT_EQ(ExitOf(Termination()), kUnknown);
}

TEST(ExitOfTest, IsUnknownForNumbersThatMakeNoSense) {
  for (int status : {-65, INT_MIN, 65, 0x7e, 0x7f, 0x80, 0x137f, 0x0109, 0x0189,
                     0xffff, 0x10000, 70000, INT_MAX}) {
    EXPECT_EQ(OfWaitStatus(status), kUnknown) << status;
  }
  for (int status : {-65, INT_MIN, 256, 3 << 8, INT_MAX}) {
    EXPECT_EQ(OfExitCode(status), kUnknown) << status;
  }
}

TEST(ExitTest, IsDescribedForPeople) {
  EXPECT_EQ(Exited(3).ToString(), "exited with code 3");
  EXPECT_EQ(Signaled(9).ToString(), "killed by signal 9 (Killed)");
  EXPECT_EQ(Signaled(31).ToString(), "killed by signal 31 (Bad system call)");
  EXPECT_EQ(Signaled(40).ToString(), "killed by signal 40");
  EXPECT_EQ(kUnknown.ToString(), "ended in an unknown way");
  EXPECT_NE(Exited(9), Signaled(9));
}

TEST(ReasonsOfTest, AreThoseOfTheNewGeneration) {
  Termination termination;
  EXPECT_THAT(ReasonsOf(termination), IsEmpty());

  termination.add_reasons(TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
  termination.add_reasons(TaskStatus::REASON_CONTAINER_PREEMPTED);
  EXPECT_THAT(ReasonsOf(termination),
              ElementsAre(TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY,
                          TaskStatus::REASON_CONTAINER_PREEMPTED));
  termination.set_killed(true);
  EXPECT_EQ(ReasonsOf(termination).size(), 2u);
}

TEST(ReasonsOfTest, IsALimitIfTheOldGenerationSaysKilled) {
  Termination termination;
  termination.set_killed(true);
  EXPECT_THAT(ReasonsOf(termination),
              ElementsAre(TaskStatus::REASON_CONTAINER_LIMITATION));
  termination.set_killed(false);
  EXPECT_THAT(ReasonsOf(termination), IsEmpty());
}

TEST(MakeTerminationTest, PleasesBothGenerations) {
  const Termination termination = MakeTermination(SIGKILL, "oom");
  // {killed: false, message: "oom", status: 9}: 0.19 requires the first two.
  EXPECT_EQ(absl::BytesToHexString(termination.SerializeAsString()),
            "080012036f6f6d1809");
  EXPECT_EQ(ExitOf(termination), Signaled(SIGKILL));
  EXPECT_THAT(ReasonsOf(termination), IsEmpty());

  EXPECT_EQ(absl::BytesToHexString(MakeTermination(0, "").SerializeAsString()),
            "080012001800");
}

}  // namespace
}  // namespace wire
}  // namespace external_containerizer

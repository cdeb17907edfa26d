// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The commands wait and destroy of the real binary.

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/posix_testing.h"
#include "external_containerizer/containerizer/posix/process_tree.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/record_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using PosixDestroyTest = PosixTest;

TEST_F(PosixDestroyTest, TwoWaitsAtOnceBothGetTheEnd) {
  const UniqueFd go = Fifo("go");
  Launch(LaunchOf("c", "read line < go; exit 6"));
  const auto first = StartWait("c");
  const auto second = StartWait("c");
  EXPECT_FALSE(first->HasOutput());
  EXPECT_FALSE(second->HasOutput());
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  EXPECT_EQ(wire::ExitOf(Parse(first->Finish())), Exited(6));
  EXPECT_EQ(wire::ExitOf(Parse(second->Finish())), Exited(6));
}

TEST_F(PosixDestroyTest, AWaitDuringDestroyGetsTheTrueEnd) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c",
                  "trap 'exit 9' TERM; echo > ready; "
                  "while :; do sleep 0.01; done"));
  ReadLine(ready);
  const auto wait = StartWait("c");
  // The stopped wait reads the end after destroy has removed the files.
  ASSERT_EQ(kill(wait->pid(), SIGSTOP), 0);
  Destroy("c");
  EXPECT_THAT(List(), IsEmpty());
  ASSERT_EQ(kill(wait->pid(), SIGCONT), 0);
  const wire::Termination termination = Parse(wait->Finish());
  EXPECT_EQ(wire::ExitOf(termination), Exited(9));
  EXPECT_EQ(termination.state(), wire::TASK_KILLED);
  EXPECT_EQ(termination.message(), "destroyed: exited with code 9");
}

TEST_F(PosixDestroyTest, AWaitOutlivesASupervisorThatWasKilled) {
  const UniqueFd ready = Fifo("ready");
  const UniqueFd go = Fifo("go");
  Launch(LaunchOf("c", "echo $$ > ready; read line < go"));
  ReadLine(ready);
  const auto wait = StartWait("c");
  const ProcessIdentity supervisor = Records("c").launch->supervisor;
  ASSERT_TRUE(SignalProcess(supervisor, SIGKILL));
  AwaitEnd(supervisor.pid);
  // The task runs on, and usage shows it.
  const std::optional<wire::ResourceStatistics> usage = Usage("c");
  ASSERT_TRUE(usage.has_value());
  EXPECT_EQ(usage->processes(), 1u);
  EXPECT_FALSE(wait->HasOutput());
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  const wire::Termination termination = Parse(wait->Finish());
  EXPECT_EQ(wire::ExitOf(termination).kind, wire::Exit::Kind::kUnknown);
  EXPECT_THAT(termination.message(), HasSubstr("supervisor was killed"));
  EXPECT_THAT(List(), ElementsAre("c"));
  EXPECT_THAT(Wait("c").message(), HasSubstr("supervisor was killed"));
  EXPECT_FALSE(Usage("c").has_value());
}

TEST_F(PosixDestroyTest, TermToASupervisorEndsItsContainer) {
  Launch(LaunchOf("c", "exec sleep 1000"));
  ASSERT_TRUE(SignalProcess(Records("c").launch->supervisor, SIGTERM));
  const wire::Termination termination = Wait("c");
  EXPECT_EQ(wire::ExitOf(termination), Signaled(SIGTERM));
  EXPECT_EQ(termination.state(), wire::TASK_KILLED);
  EXPECT_THAT(List(), ElementsAre("c"));
}

TEST_F(PosixDestroyTest, DestroyDoesNotWaitOutTheGrace) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c", "echo > ready; exec sleep 1000"));
  ReadLine(ready);
  const auto wait = StartWait("c");
  // The test would time out if the whole grace passed.
  const Result result =
      Command({"--grace=1h", "destroy"}, environment_,
              EncodeRecord(About<wire::Destroy>("c").SerializeAsString()))
          .Finish();
  EXPECT_EQ(result.status, 0) << result.errors;
  EXPECT_EQ(wire::ExitOf(Parse(wait->Finish())), Signaled(SIGTERM));
}

TEST_F(PosixDestroyTest, ATaskThatIgnoresTermIsKilledAfterTheGrace) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c",
                  "trap '' TERM; echo $$ > ready; "
                  "while :; do sleep 1000; done"));
  const pid_t task = atoi(ReadLine(ready).c_str());
  const auto wait = StartWait("c");
  const auto begin = std::chrono::steady_clock::now();
  const Result result =
      Command({"--grace=300ms", "destroy"}, environment_,
              EncodeRecord(About<wire::Destroy>("c").SerializeAsString()))
          .Finish();
  EXPECT_EQ(result.status, 0) << result.errors;
  EXPECT_GE(std::chrono::steady_clock::now() - begin,
            std::chrono::milliseconds(300));
  EXPECT_FALSE(Runs(task));
  EXPECT_EQ(wire::ExitOf(Parse(wait->Finish())), Signaled(SIGKILL));
}

TEST_F(PosixDestroyTest, AStoppedTaskIsDestroyedWithinTheGrace) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c",
                  "trap 'exit 8' TERM; echo $$ > ready; "
                  "while :; do sleep 0.01; done"));
  ASSERT_EQ(kill(atoi(ReadLine(ready).c_str()), SIGSTOP), 0);
  const auto wait = StartWait("c");
  Destroy("c");
  EXPECT_EQ(wire::ExitOf(Parse(wait->Finish())), Exited(8));
}

TEST_F(PosixDestroyTest, AStoppedSupervisorStillEndsItsContainer) {
  Launch(LaunchOf("c", "exec sleep 1000"));
  const ProcessIdentity supervisor = Records("c").launch->supervisor;
  const auto wait = StartWait("c");
  ASSERT_TRUE(SignalProcess(supervisor, SIGSTOP));
  Destroy("c");
  EXPECT_EQ(wire::ExitOf(Parse(wait->Finish())), Signaled(SIGTERM));
}

TEST_F(PosixDestroyTest, DestroyEndsDaemonsThatLeftTheSessionAndTheTree) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf(
      "c",
      "(setsid sh -c '(trap \"\" TERM; echo $$ > ready; exec sleep 1000) &' &)"
      "; (setsid sh -c 'echo $$ > ready; exec sleep 1000' &)"
      "; echo $$ > ready; exec sleep 1000"));
  std::vector<pid_t> pids;
  for (int i = 0; i < 3; ++i) pids.push_back(atoi(ReadLine(ready).c_str()));
  const ProcessIdentity supervisor = Records("c").launch->supervisor;
  std::vector<ProcStat> tree = Descendants(supervisor.pid);
  EXPECT_GE(tree.size(), 3u);
  const Result result =
      Command({"--grace=100ms", "destroy"}, environment_,
              EncodeRecord(About<wire::Destroy>("c").SerializeAsString()))
          .Finish();
  EXPECT_EQ(result.status, 0) << result.errors;
  for (const ProcStat& process : tree) {
    EXPECT_FALSE(SignalProcess(process, 0)) << process.pid;
  }
}

TEST_F(PosixDestroyTest, WhatATaskLeavesBehindEndsWithIt) {
  const UniqueFd ready = Fifo("ready");
  const UniqueFd go = Fifo("go");
  Launch(LaunchOf("c",
                  "setsid sh -c 'trap \"\" TERM; echo $$ > ready; "
                  "exec sleep 1000' & read line < go; exit 2"));
  const pid_t daemon = atoi(ReadLine(ready).c_str());
  EXPECT_TRUE(Runs(daemon));
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  Wait("c");
  EXPECT_FALSE(Runs(daemon));
}

TEST_F(PosixDestroyTest, DestroyIsIdempotentAndMayRunManyTimesAtOnce) {
  Destroy("unknown");
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c", "echo > ready; exec sleep 1000"));
  ReadLine(ready);
  std::vector<Command> commands;
  for (int i = 0; i < 8; ++i) {
    commands.push_back(Start("destroy", About<wire::Destroy>("c")));
  }
  for (Command& command : commands) {
    const Result result = command.Finish();
    EXPECT_EQ(result.status, 0) << result.errors;
  }
  EXPECT_THAT(List(), IsEmpty());
  Destroy("c");
}

TEST_F(PosixDestroyTest, DestroyDuringLaunchLeavesAllOrNothing) {
  for (int i = 0; i < 20; ++i) {
    Command launch = Start("launch", LaunchOf("c", "exec sleep 1000"));
    Command destroy = Start("destroy", About<wire::Destroy>("c"));
    const Result destroyed = destroy.Finish();
    EXPECT_EQ(destroyed.status, 0) << destroyed.errors;
    const Result launched = launch.Finish();
    const std::vector<std::string> ids = List();
    if (launched.status != 0) {
      EXPECT_THAT(launched.errors, HasSubstr("ABORTED"));
      EXPECT_THAT(ids, IsEmpty());
    }
    // The destroy came before the launch or after it.
    for (const std::string& id : ids) {
      EXPECT_TRUE(Records(id).launch.has_value());
      Destroy(id);
    }
  }
}

TEST_F(PosixDestroyTest, DestroyFindsTheTaskOfASupervisorThatWasKilled) {
  const UniqueFd ready = Fifo("ready");
  Launch(LaunchOf("c",
                  "(setsid sh -c 'echo $$ > ready; exec sleep 1000' &); "
                  "echo $$ > ready; exec sleep 1000"));
  const pid_t one = atoi(ReadLine(ready).c_str());
  const pid_t other = atoi(ReadLine(ready).c_str());
  const ProcessIdentity supervisor = Records("c").launch->supervisor;
  ASSERT_TRUE(SignalProcess(supervisor, SIGKILL));
  AwaitEnd(supervisor.pid);
  EXPECT_TRUE(Runs(one));
  EXPECT_TRUE(Runs(other));
  Destroy("c");
  EXPECT_FALSE(Runs(one));
  EXPECT_FALSE(Runs(other));
  EXPECT_THAT(List(), IsEmpty());
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

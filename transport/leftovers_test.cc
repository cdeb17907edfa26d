// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/leftovers.h"

#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

bool IsAlive(pid_t pid) {
  const std::optional<ProcStat> stat = ReadProcStat(pid);
  return stat.has_value() && stat->state != 'Z';
}

class LeftoversTest : public ::testing::Test {
 protected:
  void SetUp() override {
    work_ = ::testing::TempDir() + "/l.XXXXXX";
    ASSERT_NE(mkdtemp(work_.data()), nullptr);
    pids_ = work_ + "/pids";
  }

  void TearDown() override {
    for (const pid_t pid : Pids()) {
      if (IsAlive(pid)) kill(pid, SIGKILL);
    }
  }

  // Runs the loop until `condition` holds.
  void RunUntil(const std::function<bool()>& condition) {
    const Deadline deadline(absl::Seconds(60));
    while (!condition() && !deadline.Expired()) {
      loop_->RunAfter(absl::Milliseconds(1), [this] { loop_->Stop(); });
      loop_->Run();
    }
    EXPECT_TRUE(condition());
  }

  // A killed_agent of fork_exec: a wait, a launch and an update, with three
  // processes each.
  pid_t StartAgent() {
    const std::string agent = TestDataPath("testing/misbehaving/killed_agent");
    const std::string program =
        TestDataPath("testing/misbehaving/misbehave") + " family 3";
    std::vector<const char*> argv = {agent.c_str(), program.c_str(),
                                     work_.c_str(), pids_.c_str(), nullptr};
    pid_t pid = -1;
    EXPECT_EQ(posix_spawn(&pid, agent.c_str(), nullptr, nullptr,
                          const_cast<char* const*>(argv.data()), environ),
              0);
    RunUntil([this] { return Pids().size() == 9; });
    return pid;
  }

  std::vector<pid_t> Pids() {
    std::ifstream lines(pids_);
    return {std::istream_iterator<pid_t>(lines), {}};
  }

  int Alive() {
    int alive = 0;
    for (const pid_t pid : Pids()) alive += IsAlive(pid) ? 1 : 0;
    return alive;
  }

  std::string work_;
  std::string pids_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
};

TEST_F(LeftoversTest, WhatADeadAgentLeftIsEnded) {
  const pid_t agent = StartAgent();
  kill(agent, SIGKILL);
  ASSERT_EQ(waitpid(agent, nullptr, 0), agent);
  EXPECT_EQ(Alive(), 9);
  Leftovers leftovers(loop_.get(), JournalOfTheDead(work_), absl::Seconds(5));
  bool done = false;
  leftovers.WhenDone([&done] { done = true; });
  EXPECT_FALSE(done);
  RunUntil([&done] { return done; });
  EXPECT_EQ(Alive(), 3);  // The update's: it does what it was told.
  // And nothing is left for the next one.
  done = false;
  Leftovers none(loop_.get(), JournalOfTheDead(work_), absl::Seconds(5));
  none.WhenDone([&done] { done = true; });
  EXPECT_TRUE(done);
}

TEST_F(LeftoversTest, LivingAgentsProcessesAreLeftAlone) {
  const pid_t agent = StartAgent();
  Leftovers leftovers(loop_.get(), JournalOfTheDead(work_), absl::Seconds(5));
  bool done = false;
  leftovers.WhenDone([&done] { done = true; });
  EXPECT_TRUE(done);
  EXPECT_EQ(Alive(), 9);
  kill(agent, SIGKILL);
  waitpid(agent, nullptr, 0);
}

TEST_F(LeftoversTest, DirectoryWithoutAJournalStaysSo) {
  Leftovers leftovers(loop_.get(), JournalOfTheDead(work_), absl::Seconds(5));
  bool done = false;
  leftovers.WhenDone([&done] { done = true; });
  EXPECT_TRUE(done);
  struct stat info;
  EXPECT_NE(stat((work_ + "/fork_exec.journal").c_str(), &info), 0);
}

}  // namespace
}  // namespace external_containerizer

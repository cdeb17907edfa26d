// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/session_killer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/process.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;

// All processes of a session hold the writing end of a pipe, so that its end
// tells that all are dead.
class SessionKillerTest : public ::testing::Test {
 protected:
  SessionKillerTest()
      : loop_(*EventLoop::Create()),
        killer_(
            std::make_unique<SessionKiller>(loop_.get(), absl::Seconds(30))) {
    directory_ = ::testing::TempDir() + "session_killer.XXXXXX";
    EXPECT_NE(mkdtemp(directory_.data()), nullptr);
  }

  struct Session {
    Process leader;
    UniqueFd alive;  // EOF when none of its processes is.
  };

  // `script` says "ready" when all of its processes are there.
  Session Start(const char* script) {
    Session session;
    int fds[2];
    EXPECT_EQ(pipe2(fds, O_CLOEXEC), 0);
    session.alive.Reset(fds[0]);
    ProcessFiles files;
    files.stdin_fd.Reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
    files.stdout_fd.Reset(fds[1]);
    files.stderr_fd.Reset(open("/dev/null", O_WRONLY | O_CLOEXEC));
    const char* const argv[] = {"sh", "-c", script, nullptr};
    char* const envp[] = {nullptr};
    EXPECT_EQ(Spawn("/bin/sh", const_cast<char* const*>(argv), envp,
                    std::move(files), &session.leader),
              0);
    char text[6];
    EXPECT_EQ(read(session.alive.get(), text, sizeof(text)), 6);
    return session;
  }

  bool AllDead(const Session& session) {
    fcntl(session.alive.get(), F_SETFL, O_NONBLOCK);
    char byte;
    return read(session.alive.get(), &byte, 1) == 0;
  }

  void Kill(const Session& session, bool is_child) {
    ++expected_;
    killer_->Kill(session.leader.pid, session.leader.pidfd.get(), is_child,
                  [this](bool ended) {
                    ended_.push_back(ended);
                    if (ended_.size() == expected_) loop_->Stop();
                  });
  }

  void Reap(const Session& session) {
    std::optional<int> status;
    EXPECT_EQ(external_containerizer::Reap(session.leader.pidfd.get(), &status),
              ProcessState::kEnded);
  }

  static constexpr const char* kFamily =
      "(sleep 1000 & sleep 1000 & sh -c 'sleep 1000; :' & echo ready; wait) &"
      "trap '' TERM HUP; wait; wait";

  std::string directory_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<SessionKiller> killer_;
  std::vector<bool> ended_;
  size_t expected_ = 0;
};

TEST_F(SessionKillerTest, AllProcessesOfASessionAreEnded) {
  for (bool is_child : {true, false}) {
    const Session session = Start(kFamily);
    Kill(session, is_child);
    EXPECT_EQ(ended_.size() + 1, expected_);
    loop_->Run();
    EXPECT_TRUE(AllDead(session));
    Reap(session);
  }
  EXPECT_THAT(ended_, ElementsAre(true, true));
}

TEST_F(SessionKillerTest, ManySessionsAreEndedTogetherAndOthersAreNot) {
  const Session spared = Start(kFamily);
  std::vector<Session> sessions;
  for (int i = 0; i < 20; ++i) sessions.push_back(Start(kFamily));
  for (const Session& session : sessions) Kill(session, true);
  loop_->Run();
  for (const Session& session : sessions) {
    EXPECT_TRUE(AllDead(session));
    Reap(session);
  }
  EXPECT_FALSE(AllDead(spared));
  Kill(spared, true);
  loop_->Run();
  Reap(spared);
}

TEST_F(SessionKillerTest, MembersOfALeaderThatIsAZombieAreStillFound) {
  const Session session = Start("sleep 1000 & echo ready");
  while (!HasEnded(session.leader.pidfd.get())) {
  }
  EXPECT_FALSE(AllDead(session));
  Kill(session, true);
  loop_->Run();
  EXPECT_THAT(ended_, ElementsAre(true));
  EXPECT_TRUE(AllDead(session));
  Reap(session);
}

TEST_F(SessionKillerTest, MembersAreLeftAloneOnceTheLeaderIsReaped) {
  const Session session = Start("sleep 5 & echo ready");
  while (!HasEnded(session.leader.pidfd.get())) {
  }
  Reap(session);
  // Its number may be anybody's by now.
  for (bool is_child : {true, false}) {
    Kill(session, is_child);
    loop_->Run();
    EXPECT_FALSE(AllDead(session));
  }
  EXPECT_THAT(ended_, ElementsAre(false, true));
}

TEST_F(SessionKillerTest, OneThatMultipliesIsEndedToo) {
  const Session session = Start(
      "f() { sleep 1000 & sleep 0.001; }; echo ready;"
      "while :; do (f; f; f); done");
  Kill(session, true);
  loop_->Run();
  EXPECT_THAT(ended_, ElementsAre(true));
  EXPECT_TRUE(AllDead(session));
  Reap(session);
}

// A process that forks and exits between two looks at the list of processes
// leaves a child that the list does not have.
TEST_F(SessionKillerTest, ChildrenOfWhatEndsMeanwhileAreFound) {
  for (int round = 0; round < 150; ++round) {
    const Session session = Start(
        "echo ready; for i in 1 2 3 4 5 6 7 8; do ((exec sleep 1000 &) &) & "
        "done;"
        "wait");
    Kill(session, true);
    loop_->Run();
    ASSERT_TRUE(ended_.back());
    ASSERT_TRUE(AllDead(session)) << round;
    Reap(session);
  }
}

// The same with one entry of the list per turn of the loop: a child is made
// after the list was read.
TEST_F(SessionKillerTest, OneLookThatFindsNothingIsNotEnough) {
  const std::string go = directory_ + "/go";
  const std::string member = directory_ + "/member";
  ASSERT_EQ(mkfifo(go.c_str(), 0600), 0);
  const Session session = Start(absl::StrCat("(sh -c 'echo $$ > ", member,
                                             "; echo ready; read x < ", go,
                                             "; sleep 1000 &') & wait")
                                    .c_str());
  pid_t pid = 0;
  std::ifstream(member) >> pid;
  const UniqueFd pidfd = OpenPidfd(pid);
  ASSERT_TRUE(pidfd.valid());
  killer_ = std::make_unique<SessionKiller>(loop_.get(), absl::Seconds(30), 1);
  Kill(session, true);
  loop_->RunAfter(absl::ZeroDuration(), [&] {
    // The list is read, and only its first entry was looked at.
    EXPECT_FALSE(HasEnded(pidfd.get()));
    std::ofstream(go) << "go\n";
    EXPECT_TRUE(AwaitEnd(pidfd.get(), Deadline(absl::Seconds(30))));
    EXPECT_FALSE(AllDead(session));
  });
  loop_->Run();
  EXPECT_THAT(ended_, ElementsAre(true));
  EXPECT_TRUE(AllDead(session));
  Reap(session);
}

TEST_F(SessionKillerTest, KillNowKillsAllAndWaitsForNone) {
  const Session session = Start(kFamily);
  Kill(session, true);
  killer_->KillNow();
  killer_.reset();
  fcntl(session.alive.get(), F_SETFL, 0);
  char byte;
  // All that were alive are about to end, without the loop.
  EXPECT_EQ(read(session.alive.get(), &byte, 1), 0);
  Reap(session);
}

TEST_F(SessionKillerTest, DestructionForgetsWhoAsked) {
  const Session first = Start(kFamily);
  const Session second = Start(kFamily);
  // Both in the same pass; the first to be told destroys the killer.
  int told = 0;
  for (const Session* session : {&first, &second}) {
    killer_->Kill(session->leader.pid, session->leader.pidfd.get(), true,
                  [&](bool) {
                    ++told;
                    killer_.reset();
                    loop_->Stop();
                  });
  }
  loop_->Run();
  EXPECT_EQ(told, 1);
  killer_ = std::make_unique<SessionKiller>(loop_.get(), absl::Seconds(30));
  for (const Session* session : {&first, &second}) {
    Kill(*session, true);
    loop_->Run();
    Reap(*session);
  }
}

}  // namespace
}  // namespace external_containerizer

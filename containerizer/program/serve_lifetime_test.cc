// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// How a helper, and the transport that starts it, deal with each other's life
// and death.

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/program/serve_testing.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "external_containerizer/transport/unix_socket/helper.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

size_t OpenDescriptors() {
  size_t count = 0;
  DIR* directory = opendir("/proc/self/fd");
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

TEST_F(ServeTest, HelperIsStartedOnceAndOutlivesItsAgent) {
  Connect();
  EXPECT_THAT(Run(Command::kRecover).status, IsOk());
  const pid_t first = Helper();
  EXPECT_GT(first, 0);
  EXPECT_THAT(Run(Command::kContainers).status, IsOk());
  Connect();
  EXPECT_THAT(Run(Command::kContainers).status, IsOk());
  EXPECT_EQ(Helper(), first);
  EXPECT_EQ(getsid(first), first);
}

TEST_F(ServeTest, AgentsThatStartAtTheSameTimeShareOneHelper) {
  std::vector<std::unique_ptr<Transport>> transports;
  std::vector<Pending> pending;
  for (int i = 0; i < 8; ++i) {
    Connect();
    pending.push_back(Invoke(Make(Command::kContainers)));
    transports.push_back(std::move(transport_));
  }
  for (const Pending& one : pending) EXPECT_THAT(Await(one).status, IsOk());
  EXPECT_GT(Helper(), 0);
  // The helper that lost the race has ended.
  RunUntil([this] { return Serving() == 1; });
}

TEST_F(ServeTest, RelativeProgramInAnotherDirectoryHasAnotherHelper) {
  char before[PATH_MAX];
  ASSERT_NE(getcwd(before, sizeof(before)), nullptr);
  for (const char* name : {"/a", "/b"}) {
    const std::string directory = root_ + name;
    ASSERT_EQ(mkdir(directory.c_str(), 0700), 0);
    ASSERT_EQ(symlink(options_.program.c_str(), (directory + "/posix").c_str()),
              0);
  }
  options_.program = "./posix";
  int helpers = 0;
  for (const char* name : {"/a", "/b"}) {
    ASSERT_EQ(chdir((root_ + name).c_str()), 0);
    // The second transport finds the first one's helper.
    for (int i = 0; i < 2; ++i) {
      Connect();
      EXPECT_THAT(Run(Command::kRecover).status, IsOk());
    }
    EXPECT_EQ(Serving(), ++helpers);
  }
  ASSERT_EQ(chdir(before), 0);
}

TEST_F(ServeTest, ContainersOutliveAHelperThatIsKilled) {
  Connect();
  ASSERT_THAT(Await(Invoke(Launch("sleep 1000"))).status, IsOk());
  const Pending wait = Invoke(Wait());
  const pid_t first = Helper();
  ASSERT_GT(first, 0);
  kill(first, SIGKILL);
  const Answer lost = Await(wait);
  EXPECT_EQ(lost.outcome, Outcome::kUnknown);
  EXPECT_THAT(lost.status, StatusIs(absl::StatusCode::kUnavailable));
  // The socket still exists, and nobody listens.
  const Pending again = Invoke(Wait());
  const Answer listed = Run(Command::kContainers);
  EXPECT_THAT(listed.status, IsOk());
  EXPECT_THAT(listed.output.value_or(""), HasSubstr("c"));
  EXPECT_NE(Helper(), first);
  EXPECT_FALSE(again->has_value());
  EXPECT_THAT(Await(Invoke(Destroy())).status, IsOk());
  wire::Termination termination;
  ASSERT_TRUE(termination.ParseFromString(Await(again).output.value_or("")));
  EXPECT_TRUE(termination.killed() || termination.has_state());
}

TEST_F(ServeTest, EveryCommandEndsOnceHoweverOftenTheHelperIsKilled) {
  options_.max_backoff = absl::Milliseconds(50);
  Connect();
  ASSERT_THAT(Await(Invoke(Launch("sleep 1000"))).status, IsOk());
  std::mt19937 random(4711);
  size_t lost = 0, descriptors = 0;
  for (int round = 0; round < 25; ++round) {
    // The helper that is killed may only be starting.
    const pid_t pid = Helper();
    std::vector<Pending> pending;
    for (int i = 0; i < 20; ++i) {
      pending.push_back(Invoke(i < 5 ? Wait() : Make(Command::kContainers)));
    }
    loop_->RunAfter(
        absl::Microseconds(std::uniform_int_distribution(0, 3000)(random)),
        [this] { loop_->Stop(); });
    loop_->Run();
    if (pid > 0) kill(pid, SIGKILL);
    // Waits of a helper that came meanwhile are answered when it is killed.
    for (size_t i = 5; i < pending.size(); ++i) {
      const Answer answer = Await(pending[i]);
      if (answer.status.ok()) {
        EXPECT_THAT(answer.output.value_or(""), HasSubstr("c"));
      } else {
        ++lost;
        EXPECT_NE(answer.outcome, Outcome::kAnswered) << answer.status;
        EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kUnavailable));
      }
    }
    if (round == 5) descriptors = OpenDescriptors();
    if (round > 5) {
      EXPECT_LE(OpenDescriptors(), descriptors + 8);
    }
  }
  EXPECT_GT(lost, 0u);
  // The last kill may hit the helper that the first destroy reaches. A
  // transport says UNAVAILABLE then, and its caller asks again. A Containerizer
  // does that by itself (LifecycleOptions::max_attempts); its users need not.
  Answer destroyed = Await(Invoke(Destroy()));
  if (absl::IsUnavailable(destroyed.status)) {
    destroyed = Await(Invoke(Destroy()));
  }
  EXPECT_THAT(destroyed.status, IsOk());
}

TEST_F(ServeTest, StoppedHelperIsNamedAndGoesOnWhenItIsContinued) {
  Connect();
  ASSERT_THAT(Await(Invoke(Launch("sleep 1000"))).status, IsOk());
  const Pending wait = Invoke(Wait());
  const pid_t pid = Helper();
  ASSERT_GT(pid, 0);
  ASSERT_EQ(kill(pid, SIGSTOP), 0);
  const Answer hung = Await(wait);
  EXPECT_EQ(hung.outcome, Outcome::kUnknown);
  EXPECT_THAT(hung.status,
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr(absl::StrCat("process ", pid)),
                             HasSubstr("hangs"))));
  // Later commands get the same error, and none waits.
  const Answer refused = Run(Command::kContainers);
  EXPECT_EQ(refused.outcome, Outcome::kNotStarted);
  EXPECT_THAT(refused.status,
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("hangs")));
  ASSERT_EQ(kill(pid, SIGCONT), 0);
  RunUntil([this] { return Run(Command::kContainers).status.ok(); });
  EXPECT_EQ(Helper(), pid);
  EXPECT_THAT(Await(Invoke(Destroy())).status, IsOk());
}

TEST_F(ServeTest, StoppedHelperThatIsEndedIsFollowedByANewOne) {
  Connect();
  ASSERT_THAT(Await(Invoke(Launch("sleep 1000"))).status, IsOk());
  const pid_t pid = Helper();
  ASSERT_GT(pid, 0);
  ASSERT_EQ(kill(pid, SIGSTOP), 0);
  for (int i = 0; i < 2; ++i) {
    // This follows the advice to the operator.
    EXPECT_THAT(Run(Command::kContainers).status,
                StatusIs(absl::StatusCode::kUnavailable,
                         HasSubstr(absl::StrCat("kill -9 ", pid))));
  }
  ASSERT_EQ(kill(pid, SIGKILL), 0);
  AwaitEnd(pid);
  const Answer listed = Run(Command::kContainers);
  EXPECT_THAT(listed.status, IsOk());
  EXPECT_THAT(listed.output.value_or(""), HasSubstr("c"));
  EXPECT_THAT(Await(Invoke(Destroy())).status, IsOk());
}

TEST_F(ServeTest, HelperWithoutAgentsEnds) {
  options_.socket = work_ + "/s.sock";
  const pid_t pid =
      Spawn({"serve", "--socket=" + options_.socket, "--idle_exit=10ms"});
  EXPECT_EQ(ExitCode(pid), 0);
  struct stat info;
  EXPECT_NE(lstat(options_.socket.c_str(), &info), 0);
}

TEST_F(ServeTest, HelperWithAnAgentStays) {
  options_.socket = work_ + "/s.sock";
  const pid_t pid =
      Spawn({"serve", "--socket=" + options_.socket, "--idle_exit=700ms"});
  Connect();
  RunUntil([this] { return Run(Command::kContainers).status.ok(); });
  loop_->RunAfter(absl::Milliseconds(1500), [this] { loop_->Stop(); });
  loop_->Run();
  EXPECT_TRUE(IsAlive(pid));
  transport_.reset();
  EXPECT_EQ(ExitCode(pid), 0);
}

TEST_F(ServeTest, HelperWhoseSocketIsRemovedEndsWithItsLastAgent) {
  Connect();
  EXPECT_THAT(Run(Command::kRecover).status, IsOk());
  const pid_t pid = Helper();
  ASSERT_EQ(system(absl::StrCat("rm -r '", work_, "'").c_str()), 0);
  transport_.reset();
  AwaitEnd(pid);
}

TEST_F(ServeTest, SecondHelperAtASocketIsRefused) {
  options_.socket = work_ + "/s.sock";
  const pid_t first = SpawnAtSocket();
  const pid_t second = Spawn({"serve", "--socket=" + options_.socket});
  EXPECT_EQ(ExitCode(second), helper::kAlreadyServed);
  EXPECT_EQ(HelperAt(options_.socket), first);
}

TEST_F(ServeTest, TermEndsWaitsAndThenTheHelper) {
  options_.socket = work_ + "/s.sock";
  const pid_t pid = SpawnAtSocket();
  Connect();
  ASSERT_THAT(Await(Invoke(Launch("sleep 1000"))).status, IsOk());
  const Pending wait = Invoke(Wait());
  EXPECT_THAT(Run(Command::kContainers).status, IsOk());
  kill(pid, SIGTERM);
  const Answer answer = Await(wait);
  EXPECT_EQ(answer.outcome, Outcome::kEnded);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(ExitCode(pid), 0);
  struct stat info;
  EXPECT_NE(lstat(options_.socket.c_str(), &info), 0);
  SpawnAtSocket();
  EXPECT_THAT(Await(Invoke(Destroy())).status, IsOk());
}

TEST_F(ServeTest, HelperOfAnOperatorIsNeverStarted) {
  options_.socket = work_ + "/s.sock";
  Connect();
  const Answer answer = Run(Command::kContainers);
  EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(HelperAt(options_.socket), 0);
  SpawnAtSocket();
  EXPECT_THAT(Run(Command::kContainers).status, IsOk());
}

TEST_F(ServeTest, HelperWhoseExecutableIsReplacedIsReplaced) {
  const std::string copy = root_ + "/copy";
  const std::string make =
      absl::StrCat("cp '", options_.program, "' '", copy, ".new' && mv '", copy,
                   ".new' '", copy, "'");
  ASSERT_EQ(system(make.c_str()), 0);
  options_.program = copy;
  Connect();
  ASSERT_THAT(Await(Invoke(Launch("sleep 1000"))).status, IsOk());
  const pid_t first = Helper();
  ASSERT_EQ(system(make.c_str()), 0);
  Connect();
  const Pending wait = Invoke(Wait());
  EXPECT_THAT(Run(Command::kContainers).status, IsOk());
  EXPECT_NE(Helper(), first);
  AwaitEnd(first);
  EXPECT_FALSE(wait->has_value());
  EXPECT_THAT(Await(Invoke(Destroy())).status, IsOk());
}

TEST_F(ServeTest, HelperIsReplacedWhenALinkLeadsToAnotherVersion) {
  const std::string link = root_ + "/current";
  const auto point_to = [&](const std::string& version) {
    return system(absl::StrCat("cp -n '", options_.program, "' '", root_,
                               version, "' && ln -s '", root_, version, "' '",
                               link, ".new' && mv -T '", link, ".new' '", link,
                               "'")
                      .c_str());
  };
  ASSERT_EQ(point_to("/v1"), 0);
  const std::string posix = std::exchange(options_.program, link);
  Connect();
  EXPECT_THAT(Run(Command::kRecover).status, IsOk());
  const pid_t first = Helper();
  options_.program = posix;
  ASSERT_EQ(point_to("/v2"), 0);
  options_.program = link;
  Connect();
  EXPECT_THAT(Run(Command::kRecover).status, IsOk());
  const pid_t second = Helper();
  EXPECT_NE(second, first);
  AwaitEnd(first);
  Connect();
  EXPECT_THAT(Run(Command::kRecover).status, IsOk());
  EXPECT_EQ(Helper(), second);
}

// The script is not the executable, and is not compared with it.
TEST_F(ServeTest, HelperThatAScriptStartsStays) {
  const std::string posix = options_.program;
  options_.program = root_ + "/program";
  std::ofstream(options_.program) << "#!/bin/sh\nexec " << posix << " \"$@\"\n";
  ASSERT_EQ(chmod(options_.program.c_str(), 0700), 0);
  Connect();
  EXPECT_THAT(Run(Command::kRecover).status, IsOk());
  const pid_t first = Helper();
  Connect();
  EXPECT_THAT(Run(Command::kRecover).status, IsOk());
  EXPECT_EQ(Helper(), first);
}

TEST_F(ServeTest, WorkDirectoryMayHaveALongPath) {
  while (work_.size() < 300) {
    work_ += "/a_directory_with_a_long_name";
    ASSERT_EQ(mkdir(work_.c_str(), 0700), 0);
  }
  options_.work_directory = work_;
  Connect();
  EXPECT_THAT(Run(Command::kContainers).status, IsOk());
  EXPECT_GT(Helper(), 0);
}

TEST_F(ServeTest, StderrOfEarlierHelpersIsKeptOnceAndDoesNotGrow) {
  const std::string file = work_ + "/helper.stderr";
  std::ofstream(file) << std::string(1 << 20, 'x');
  Connect();
  EXPECT_THAT(Run(Command::kRecover).status, IsOk());
  struct stat now, old;
  ASSERT_EQ(stat(file.c_str(), &now), 0);
  EXPECT_LT(now.st_size, 1 << 10);
  ASSERT_EQ(stat((file + ".old").c_str(), &old), 0);
  EXPECT_EQ(old.st_size, 1 << 20);
}

TEST_F(ServeTest, HelperWhoseEndNobodyKnowsMayHaveFoundAnother) {
  const std::string posix = options_.program;
  options_.program = root_ + "/program";
  std::ofstream(options_.program)
      << "#!/bin/sh\n"
      << "[ -e $0.once ] && exec " << posix << " \"$@\"\n"
      << ">$0.once; exit " << helper::kAlreadyServed << "\n";
  ASSERT_EQ(chmod(options_.program.c_str(), 0700), 0);
  const sighandler_t before = signal(SIGCHLD, SIG_IGN);
  Connect();
  EXPECT_THAT(Run(Command::kRecover).status, IsOk());
  signal(SIGCHLD, before);
}

TEST_F(ServeTest, ProgramThatDoesNotListenYetEndsWithItsTransport) {
  options_.program = root_ + "/program";
  std::ofstream(options_.program)
      << "#!/bin/sh\necho $$ >\"$0.new\"; mv \"$0.new\" \"$0.pid\"\n"
      << "exec sleep 1000\n";
  ASSERT_EQ(chmod(options_.program.c_str(), 0700), 0);
  Connect();
  Invoke(Make(Command::kRecover));
  RunUntil([this] { return !Contents(options_.program + ".pid").empty(); });
  const pid_t pid = atoi(Contents(options_.program + ".pid").c_str());
  transport_.reset();
  // The loop reaps the helper, because nobody waited for its end.
  RunUntil([pid] { return kill(pid, 0) != 0; });
}

TEST_F(ServeTest, HelperThatListensStaysAlsoIfItsTransportHasNotSeenIt) {
  Connect();
  Invoke(Make(Command::kRecover));
  RunUntil([this] { return Serving() > 0; });
  // The transport's loop stands still.
  const absl::Time end = absl::Now() + kPatience;
  for (bool listens = false; !listens && absl::Now() < end;) {
    const absl::StatusOr<int> fd = ttrpc::ConnectUnix(Socket());
    listens = fd.ok();
    if (listens) close(*fd);
  }
  transport_.reset();
  EXPECT_GT(Helper(), 0);
}

TEST_F(ServeTest, ProgramThatNeverListensIsEnded) {
  options_.program = root_ + "/program";
  std::ofstream(options_.program)
      << "#!/bin/sh\necho $$ >\"$0.pid\"; exec sleep 1000\n";
  ASSERT_EQ(chmod(options_.program.c_str(), 0700), 0);
  options_.start_timeout = absl::Milliseconds(500);
  Connect();
  const Answer answer = Run(Command::kRecover);
  EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kUnavailable,
                                      HasSubstr("did not listen")));
  const pid_t pid = atoi(Contents(options_.program + ".pid").c_str());
  ASSERT_GT(pid, 0);
  AwaitEnd(pid);
}

}  // namespace
}  // namespace external_containerizer

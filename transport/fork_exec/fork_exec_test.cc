// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/fork_exec/fork_exec.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/testing/broken_sandboxes.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/sandbox_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string Misbehave(const std::string& mode) {
  return absl::StrCat(getenv("TEST_SRCDIR"), "/", getenv("TEST_WORKSPACE"),
                      "/testing/misbehaving/misbehave ", mode);
}

size_t OpenDescriptors() {
  size_t count = 0;
  DIR* directory = opendir("/proc/self/fd");
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

// A zombie is not alive: other processes may reap it later.
bool IsAlive(pid_t pid) {
  const std::optional<ProcStat> stat = ReadProcStat(pid);
  return stat.has_value() && stat->state != 'Z';
}

class ForkExecTest : public ::testing::Test {
 protected:
  ForkExecTest() : loop_(*EventLoop::Create()) {
    std::string name = ::testing::TempDir() + "fork_exec.XXXXXX";
    root_ = mkdtemp(name.data());
    pids_ = root_ + "/pids";
    for (const char* directory : {"/work", "/runs", "/runs/a b'\n"}) {
      EXPECT_EQ(mkdir((root_ + directory).c_str(), 0755), 0);
    }
    options_.work_directory = root_ + "/work";
    options_.linger = absl::Milliseconds(100);
    options_.on_started = [this](Command command, const std::optional<Sandbox>&,
                                 pid_t pid) {
      started_.push_back(pid);
      if (EndsWithItsCaller(command)) asking_.push_back(pid);
    };
  }

  ~ForkExecTest() override {
    transport_.reset();
    RunUntil([this] {
      return std::none_of(asking_.begin(), asking_.end(),
                          [](pid_t pid) { return kill(pid, 0) == 0; });
    });
    for (pid_t pid : Pids()) {
      if (IsAlive(pid)) kill(pid, SIGKILL);
    }
  }

  // Makes the transport of a program that misbehaves in this `mode`.
  void Use(const std::string& mode) { UseProgram(Misbehave(mode)); }

  void UseProgram(const std::string& program) {
    transport_.reset();
    options_.program = program;
    auto transport = ForkExecTransport(options_)(*loop_);
    ASSERT_TRUE(transport.ok()) << transport.status();
    transport_ = *std::move(transport);
  }

  Invocation Make(Command command, const std::string& input = "input") {
    Invocation invocation;
    invocation.command = command;
    invocation.timeout = absl::Seconds(30);
    if (command != Command::kContainers && command != Command::kRecover) {
      invocation.input = input;
      invocation.sandbox = Sandbox{root_, "runs/a b'\n", std::nullopt};
    }
    invocation.environment["MISBEHAVE_PIDS"] = pids_;
    return invocation;
  }

  // The answer comes to `answers_`, and stops the loop.
  InvocationId Invoke(Invocation invocation) {
    return transport_->Invoke(std::move(invocation), [this](Answer answer) {
      answers_.push_back(std::move(answer));
      loop_->Stop();
    });
  }

  // The answer comes to `answers_`, and the loop goes on.
  InvocationId Collect(Invocation invocation) {
    return transport_->Invoke(std::move(invocation), [this](Answer answer) {
      answers_.push_back(std::move(answer));
    });
  }

  Answer Run(Invocation invocation) {
    answers_.clear();
    Invoke(std::move(invocation));
    loop_->Run();
    EXPECT_EQ(answers_.size(), 1u);
    return answers_.empty() ? Answer() : std::move(answers_[0]);
  }

  Answer Run(Command command) { return Run(Make(command)); }

  // Runs the loop until `condition` holds.
  void RunUntil(std::function<bool()> condition) {
    while (!condition()) {
      const EventLoop::TimerId timer =
          loop_->RunAfter(absl::Milliseconds(1), [this] { loop_->Stop(); });
      loop_->Run();
      loop_->CancelTimer(timer);
    }
  }

  std::vector<pid_t> Pids() {
    std::istringstream lines(Contents(pids_));
    return {std::istream_iterator<pid_t>(lines), {}};
  }

  std::string StderrFile() { return root_ + "/runs/a b'\n/stderr"; }

  std::string root_;
  std::string pids_;
  ForkExecOptions options_;
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<Transport> transport_;
  std::vector<Answer> answers_;
  std::vector<pid_t> started_;
  std::vector<pid_t> asking_;  // The processes that end with their transport.
};

void ExpectFailure(const Answer& answer, absl::StatusCode code, Outcome outcome,
                   const std::vector<std::string>& texts) {
  EXPECT_EQ(answer.status.code(), code) << answer.status;
  EXPECT_EQ(answer.outcome, outcome) << answer.status;
  for (const std::string& text : texts) {
    EXPECT_THAT(std::string(answer.status.message()), HasSubstr(text));
  }
  for (const char c : std::string(answer.status.message())) {
    EXPECT_TRUE(c >= ' ' && c <= '~') << answer.status;
  }
}

// The promises hold whatever this process does with signals.
class AnySignals : public ForkExecTest,
                   public ::testing::WithParamInterface<bool> {
 protected:
  AnySignals() {
    if (GetParam()) {
      signal(SIGCHLD, SIG_IGN);
      signal(SIGPIPE, SIG_IGN);
    }
  }
  ~AnySignals() override {
    transport_.reset();
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
  }
  // How a death by signal is seen: through a shell, as an exit status.
  bool ThroughShell() const { return GetParam(); }
};

INSTANTIATE_TEST_SUITE_P(SigchldAndSigpipe, AnySignals, ::testing::Bool(),
                         [](const auto& parameter) {
                           return parameter.param ? "Ignored" : "Default";
                         });

TEST_P(AnySignals, AProgramFindsWhatItIsPromised) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  Use("report");
  Invocation invocation = Make(Command::kUsage);
  invocation.environment["MESOS_DIRECTORY"] = "/x y";
  const Answer answer = Run(std::move(invocation));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ASSERT_TRUE(answer.status.ok()) << answer.status;
  ASSERT_TRUE(answer.output.has_value());
  EXPECT_EQ(answer.outcome, Outcome::kAnswered);
  EXPECT_EQ(answer.wait_status, 0);
  EXPECT_THAT(*answer.output,
              AllOf(HasSubstr("argv1=report\nargv2=usage\n"),
                    HasSubstr("cwd=" + root_ + "/runs/a b'\n"),
                    HasSubstr("SigBlk=0000000000000000\n"),
                    // Signals 32 and 33 are glibc's own.
                    ContainsRegex("SigIgn=0000000[01][08]0000000\n"),
                    HasSubstr("fds=0 1 2 \n"), HasSubstr("fd0=pipe"),
                    HasSubstr("fd1=pipe"), HasSubstr("fd1_nonblock=0"),
                    HasSubstr("fd2=file"), HasSubstr("fd2_append=1"),
                    HasSubstr("input_bytes=9\n"),
                    HasSubstr("env:MESOS_DIRECTORY=/x y\n")));
  if (!ThroughShell()) {
    EXPECT_THAT(*answer.output, HasSubstr("leads_session=1"));
  }
}

TEST_P(AnySignals, EveryCommandSucceeds) {
  Use("silent");
  for (Command command :
       {Command::kLaunch, Command::kUpdate, Command::kUsage, Command::kWait,
        Command::kDestroy, Command::kContainers, Command::kRecover}) {
    const Answer answer = Run(command);
    EXPECT_TRUE(answer.status.ok()) << answer.status;
    EXPECT_EQ(answer.outcome, Outcome::kAnswered);
    EXPECT_EQ(answer.wait_status, 0);
    EXPECT_EQ(answer.output, std::nullopt);
  }
}

TEST_P(AnySignals, AnExitStatusIsToldWithTheLastWordsOnStderr) {
  Use("exit 7");
  std::ofstream(StderrFile()) << "said before\n";
  for (Command command : {Command::kLaunch, Command::kUsage, Command::kDestroy,
                          Command::kRecover}) {
    const Answer answer = Run(command);
    EXPECT_EQ(answer.wait_status, 7 << 8);
    ExpectFailure(
        answer, absl::StatusCode::kInternal, Outcome::kAnswered,
        {std::string(CommandName(command)), "misbehave exit 7\"",
         "exited with status 7",
         absl::StrCat("; stderr: \"misbehave: cannot do ", CommandName(command),
                      "\\nmisbehave: giving up\"")});
  }
}

TEST_P(AnySignals, OneThatDiesBySignalIsAFailure) {
  Use("signal 11");
  for (Command command : {Command::kUpdate, Command::kUsage}) {
    const Answer answer = Run(command);
    if (ThroughShell()) {
      ExpectFailure(answer, absl::StatusCode::kInternal, Outcome::kAnswered,
                    {"exited with status 139", "about to die"});
    } else {
      ExpectFailure(
          answer, absl::StatusCode::kInternal, Outcome::kEnded,
          {"was killed by signal 11 (Segmentation fault)", "about to die"});
      ASSERT_TRUE(answer.wait_status.has_value());
      EXPECT_EQ(WTERMSIG(*answer.wait_status), 11);
    }
  }
}

TEST_P(AnySignals, OneThatIgnoresItsInputSucceedsEveryTime) {
  Use("ignore");
  for (int i = 0; i < 200; ++i) {
    const Answer answer = Run(Make(Command::kUpdate, std::string(300, 'x')));
    ASSERT_TRUE(answer.status.ok()) << answer.status;
  }
  // Also if there is more than fits into a pipe.
  for (int i = 0; i < 20; ++i) {
    const Answer answer =
        Run(Make(Command::kUpdate, std::string(300 << 10, 'x')));
    ASSERT_TRUE(answer.status.ok()) << answer.status;
  }
}

TEST_P(AnySignals, LargeRecordsGoBothWays) {
  Use("same");
  for (size_t size : {size_t{0}, size_t{1}, size_t{65531}, size_t{65533},
                      size_t{1} << 20, kMaxInputBytes}) {
    std::string input(size, '\0');
    for (size_t i = 0; i < size; ++i) input[i] = static_cast<char>(i * 7);
    const Answer answer = Run(Make(Command::kUsage, input));
    ASSERT_TRUE(answer.status.ok()) << answer.status;
    EXPECT_TRUE(answer.output == input) << size;
  }
}

TEST_P(AnySignals, OneThatReadsToTheEndSeesIt) {
  Use("read-to-eof");
  EXPECT_EQ(Run(Make(Command::kUsage, "x")).output, "5");
  EXPECT_EQ(Run(Make(Command::kUsage, std::string(1 << 20, 'x'))).output,
            "1048580");
}

TEST_P(AnySignals, StdinCanBePolledAlsoIfTheRecordIsLarge) {
  Use("report");
  for (size_t size : {size_t{5000}, size_t{65533}, size_t{500000}}) {
    const Answer answer = Run(Make(Command::kUsage, std::string(size, 'x')));
    ASSERT_TRUE(answer.output.has_value()) << answer.status;
    EXPECT_THAT(*answer.output,
                AllOf(HasSubstr("fd0=pipe"),
                      HasSubstr(absl::StrCat("input_bytes=", size + 4))));
  }
}

TEST_P(AnySignals, OneThatHangsIsEndedInTime) {
  for (const char* mode : {"hang", "close-stdout", "ignore-signals"}) {
    Use(mode);
    for (Command command : {Command::kLaunch, Command::kUsage}) {
      Invocation invocation = Make(command, std::string(1 << 20, 'x'));
      invocation.timeout = absl::Milliseconds(50);
      ExpectFailure(Run(std::move(invocation)),
                    absl::StatusCode::kDeadlineExceeded, Outcome::kEnded,
                    {"did not end in time; it was ended"});
      EXPECT_FALSE(IsAlive(started_.back())) << mode;
    }
  }
}

TEST_P(AnySignals, CancelEndsTheWholeSession) {
  Use("family 5");
  const InvocationId id = Invoke(Make(Command::kWait));
  RunUntil([&] { return Pids().size() == 5; });
  for (pid_t pid : Pids()) EXPECT_TRUE(IsAlive(pid));
  transport_->Cancel(id);
  EXPECT_THAT(answers_, IsEmpty());
  loop_->Run();
  ASSERT_EQ(answers_.size(), 1u);
  ExpectFailure(answers_[0], absl::StatusCode::kCancelled, Outcome::kEnded,
                {"was cancelled; it was ended"});
  for (pid_t pid : Pids()) EXPECT_FALSE(IsAlive(pid));
}

TEST_P(AnySignals, WhatLeftTheSessionIsLeftAlone) {
  Use("escape-session");
  const InvocationId id = Invoke(Make(Command::kLaunch));
  RunUntil([&] { return Pids().size() == 2; });
  transport_->Cancel(id);
  loop_->Run();
  EXPECT_TRUE(IsAlive(Pids()[0]));
  EXPECT_FALSE(IsAlive(Pids()[1]));
}

TEST_P(AnySignals, DescendantsMayKeepEveryDescriptor) {
  Use("daemon");
  size_t daemons = 0;
  for (Command command : {Command::kLaunch, Command::kUsage, Command::kWait,
                          Command::kContainers}) {
    const Answer answer = Run(command);
    EXPECT_TRUE(answer.status.ok()) << answer.status;
    EXPECT_EQ(answer.output.has_value(), HasResult(command));
    ASSERT_EQ(Pids().size(), ++daemons);
    EXPECT_TRUE(IsAlive(Pids().back()));
  }
}

TEST_P(AnySignals, NothingIsLeftOpenAndNobodyUnreaped) {
  Use("same");
  Run(Command::kUsage);
  const size_t before = OpenDescriptors();
  for (int i = 0; i < 20; ++i) {
    Run(Command::kUsage);
    Run(Command::kLaunch);
    Run(Command::kRecover);
    Invocation invocation = Make(Command::kUsage);
    invocation.sandbox->path = "runs/missing";
    Run(std::move(invocation));
  }
  EXPECT_EQ(OpenDescriptors(), before);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_P(AnySignals, TwoHundredRunAtOnce) {
  Use("same");
  size_t good = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string input = absl::StrCat("record ", i);
    transport_->Invoke(Make(Command::kWait, input),
                       [this, &good, input](Answer answer) {
                         EXPECT_EQ(answer.output, input) << answer.status;
                         if (++good == 200) loop_->Stop();
                       });
  }
  loop_->Run();
  EXPECT_EQ(good, 200u);
}

TEST_F(ForkExecTest, InvokeAndCancelNeverCallBack) {
  Use("silent");
  Invoke(Make(Command::kUsage));
  Invocation bad = Make(Command::kUsage);
  bad.environment["A=B"] = "";
  transport_->Cancel(Invoke(std::move(bad)));
  transport_->Cancel(12345);
  EXPECT_THAT(answers_, IsEmpty());
  RunUntil([&] { return answers_.size() == 2; });
}

// From the second on, usage is started on other threads.
TEST_F(ForkExecTest, WhatIsBeingStartedCanBeCancelled) {
  Use("hang");
  std::vector<InvocationId> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(Collect(Make(Command::kUsage)));
  for (InvocationId id : ids) transport_->Cancel(id);
  RunUntil([this] { return answers_.size() == 20; });
  for (const Answer& answer : answers_) {
    EXPECT_EQ(answer.status.code(), absl::StatusCode::kCancelled)
        << answer.status;
  }
  for (pid_t pid : started_) EXPECT_NE(kill(pid, 0), 0);
}

TEST_F(ForkExecTest, DestructionEndsWhatIsBeingStarted) {
  const size_t descriptors = OpenDescriptors();
  Use("hang");
  for (int i = 0; i < 20; ++i) Invoke(Make(Command::kUsage));
  transport_.reset();
  // No child is left, running or not.
  RunUntil([] {
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == -1;
  });
  EXPECT_EQ(OpenDescriptors(), descriptors);
  EXPECT_THAT(answers_, IsEmpty());
}

TEST_F(ForkExecTest, WhatCannotBeExecutedIsSaidOfManyAtOnce) {
  const std::string program = root_ + "/gone";
  std::ofstream(program) << "#!/bin/sh\nexit 0\n";
  ASSERT_EQ(chmod(program.c_str(), 0755), 0);
  UseProgram(program);
  ASSERT_EQ(unlink(program.c_str()), 0);
  for (int i = 0; i < 20; ++i) Collect(Make(Command::kUsage));
  RunUntil([this] { return answers_.size() == 20; });
  for (const Answer& answer : answers_) {
    EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
    EXPECT_EQ(answer.status.code(), absl::StatusCode::kFailedPrecondition)
        << answer.status;
  }
}

TEST_F(ForkExecTest, TheNextCommandCanComeFromTheCallback) {
  Use("same");
  int left = 50;
  std::function<void()> next = [&] {
    if (left-- == 0) {
      loop_->Stop();
      return;
    }
    transport_->Invoke(Make(Command::kUsage), [&](Answer answer) {
      EXPECT_TRUE(answer.status.ok()) << answer.status;
      next();
    });
  };
  next();
  loop_->Run();
  EXPECT_EQ(left, -1);
}

TEST_F(ForkExecTest, ACallbackMayDestroyTheTransport) {
  Use("hang");
  for (bool cancel : {false, true}) {
    Use(cancel ? "hang" : "ignore");
    Invocation invocation = Make(Command::kUsage);
    invocation.timeout = absl::Milliseconds(cancel ? 20 : 30000);
    Invocation other = Make(Command::kUsage);
    other.timeout = invocation.timeout;
    int called = 0;
    for (Invocation* each : {&invocation, &other}) {
      transport_->Invoke(std::move(*each), [&](Answer) {
        ++called;
        transport_.reset();
        loop_->Stop();
      });
    }
    loop_->Run();
    EXPECT_EQ(called, 1);
  }
}

TEST_F(ForkExecTest, OnlyAFewVariablesAreInherited) {
  setenv("DOCKER_HOST", "docker", 1);
  setenv("AGENT_SECRET", "secret", 1);
  Use("report");
  const Answer few = Run(Command::kContainers);
  EXPECT_THAT(*few.output,
              AllOf(HasSubstr("env:DOCKER_HOST=docker\n"),
                    Not(HasSubstr("AGENT_SECRET")), HasSubstr("fd0=device"),
                    HasSubstr("fd2=file"), HasSubstr("input_bytes=0")));
  options_.inherit = std::vector<std::string>{"*"};
  Use("report");
  Invocation invocation = Make(Command::kContainers);
  invocation.environment["DOCKER_HOST"] = "given";
  const Answer all = Run(std::move(invocation));
  EXPECT_THAT(*all.output, AllOf(HasSubstr("env:DOCKER_HOST=given\n"),
                                 Not(HasSubstr("DOCKER_HOST=docker")),
                                 HasSubstr("AGENT_SECRET=secret")));
}

TEST_F(ForkExecTest, LaunchWritesIntoTheSandbox) {
  Use("report");
  ASSERT_TRUE(Run(Command::kLaunch).status.ok());
  EXPECT_THAT(
      Contents(root_ + "/runs/a b'\n/stdout"),
      AllOf(HasSubstr("argv2=launch"), HasSubstr("fd1=file\nfd1_append=1")));
  Use("noise");
  EXPECT_TRUE(Run(Command::kLaunch).status.ok());
  struct stat info;
  ASSERT_EQ(stat(StderrFile().c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 1 << 20);
}

TEST_F(ForkExecTest, GarbageIsToldFromARecordAndShown) {
  const auto run = [&](const std::string& mode) {
    Use(mode);
    return Run(Command::kUsage);
  };
  ExpectFailure(run("text"), absl::StatusCode::kDataLoss, Outcome::kEnded,
                {"usage by", "gave no answer", "Traceback (most"});
  ExpectFailure(run("text 3"), absl::StatusCode::kInternal, Outcome::kEnded,
                {"exited with status 3", "Traceback (most"});
  ExpectFailure(run("announce"), absl::StatusCode::kDataLoss, Outcome::kEnded,
                {"4294967295"});
  ExpectFailure(run("short"), absl::StatusCode::kDataLoss, Outcome::kEnded,
                {"100"});
  for (int size : {1, 2, 3}) {
    ExpectFailure(run(absl::StrCat("prefix ", size)),
                  absl::StatusCode::kDataLoss, Outcome::kEnded, {});
  }
  EXPECT_EQ(run("prefix 0").status, absl::OkStatus());
  EXPECT_EQ(run("empty-record").output, "");
  EXPECT_EQ(run("slow").output, "slow but steady");
  EXPECT_EQ(run("record-garbage").output, "good");
  EXPECT_EQ(run("noise").status.code(), absl::StatusCode::kDataLoss);
}

TEST_F(ForkExecTest, EscapeSequencesAreShownEscaped) {
  Use("escapes");
  ExpectFailure(Run(Command::kUsage), absl::StatusCode::kInternal,
                Outcome::kAnswered, {"\\x1b]0;owned\\x07\\x1b[31mred"});
}

TEST_F(ForkExecTest, TooMuchOutputIsRefusedAndDoesNotHoldUsUp) {
  Use("record 20000000");
  ExpectFailure(Run(Command::kUsage), absl::StatusCode::kDataLoss,
                Outcome::kEnded, {"20000000"});
  options_.linger = absl::InfiniteDuration();
  Use("flood");
  ExpectFailure(Run(Command::kUsage), absl::StatusCode::kDataLoss,
                Outcome::kEnded, {"wrote without end"});
  options_.linger = absl::Milliseconds(100);
  Use("text-linger");
  ExpectFailure(Run(Command::kContainers), absl::StatusCode::kDataLoss,
                Outcome::kEnded, {"no record, and no end"});
}

TEST_F(ForkExecTest, ARecordIsGivenBesideABadExit) {
  Use("record-exit 3");
  Answer answer = Run(Command::kWait);
  EXPECT_EQ(answer.output, "good");
  EXPECT_EQ(answer.wait_status, 3 << 8);
  EXPECT_EQ(answer.status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(answer.outcome, Outcome::kAnswered);
  Use("record-signal 9");
  answer = Run(Command::kWait);
  EXPECT_EQ(answer.output, "good");
  EXPECT_EQ(answer.wait_status, 9);
  EXPECT_EQ(answer.status.code(), absl::StatusCode::kInternal);
}

TEST_F(ForkExecTest, AWaitThatStaysAfterItsRecordIsEnded) {
  Use("record-linger");
  Invocation invocation = Make(Command::kWait);
  invocation.timeout = absl::InfiniteDuration();
  Answer answer = Run(std::move(invocation));
  EXPECT_EQ(answer.output, "good");
  EXPECT_TRUE(answer.status.ok()) << answer.status;
  EXPECT_FALSE(IsAlive(started_.back()));
  // Other commands are over only when they end.
  invocation = Make(Command::kUsage);
  invocation.timeout = absl::Milliseconds(300);
  answer = Run(std::move(invocation));
  EXPECT_EQ(answer.output, "good");
  EXPECT_EQ(answer.status.code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ForkExecTest, AWaitThatClosedItsStdoutIsEnded) {
  Use("close-stdout");
  Invocation invocation = Make(Command::kWait);
  invocation.timeout = absl::InfiniteDuration();
  ExpectFailure(Run(std::move(invocation)), absl::StatusCode::kDataLoss,
                Outcome::kEnded, {"closed its stdout"});
}

TEST_F(ForkExecTest, WhatCannotBeExecutedIsSaid) {
  const auto make = [&](const std::string& text) {
    const std::string path = root_ + "/program";
    std::ofstream(path) << text;
    EXPECT_EQ(chmod(path.c_str(), 0755), 0);
    UseProgram(path);
  };
  // An ELF file for a machine that does not exist.
  make(std::string("\x7f"
                   "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xfe\xfe",
                   20) +
       std::string(100, '\0'));
  ExpectFailure(Run(Command::kUsage), absl::StatusCode::kFailedPrecondition,
                Outcome::kNotStarted,
                {"usage by", "wrong format or architecture"});
  make("#!/no/such/interpreter\n");
  ExpectFailure(Run(Command::kUsage), absl::StatusCode::kFailedPrecondition,
                Outcome::kNotStarted, {"/no/such/interpreter"});
  ASSERT_EQ(unlink((root_ + "/program").c_str()), 0);
  ExpectFailure(Run(Command::kUsage), absl::StatusCode::kFailedPrecondition,
                Outcome::kNotStarted, {"No such file"});
  transport_.reset();
  for (const char* program : {"", "/no/such/program", "/etc/passwd"}) {
    options_.program = program;
    EXPECT_EQ(ForkExecTransport(options_)(*loop_).status().code(),
              absl::StatusCode::kFailedPrecondition);
  }
}

TEST_F(ForkExecTest, AProgramThatIsBeingWrittenToIsTriedAgain) {
  const std::string path = root_ + "/program";
  std::ofstream(path) << "#!/bin/sh\nexit 0\n";
  // Scripts are never busy, so it has to be a binary.
  std::ofstream(path, std::ios::binary) << Contents("/bin/true");
  ASSERT_EQ(chmod(path.c_str(), 0755), 0);
  UseProgram(path);
  const int writer = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_GE(writer, 0);
  Invoke(Make(Command::kUpdate));
  EXPECT_THAT(started_, IsEmpty());
  loop_->RunAfter(absl::Milliseconds(20), [writer] { close(writer); });
  loop_->Run();
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_TRUE(answers_[0].status.ok()) << answers_[0].status;
}

TEST_F(ForkExecTest, AShellTakesWhatIsNotPlainWords) {
  const std::string directory = root_ + "/my programs";
  ASSERT_EQ(mkdir(directory.c_str(), 0755), 0);
  std::ofstream(directory + "/p.sh") << "echo \"$X $1\" >&2; exit 4\n";
  UseProgram("X='a b' sh '" + directory + "/p.sh'");
  ExpectFailure(Run(Command::kUpdate), absl::StatusCode::kInternal,
                Outcome::kAnswered,
                {"exited with status 4", "stderr: \"a b update\""});
}

class BrokenSandboxTest : public ForkExecTest {
 protected:
  BrokenSandboxTest() {
    std::ofstream(victim_) << "precious";
    MendSandbox(box_);
  }

  Invocation MakeInBox(Command command) {
    Invocation invocation = Make(command);
    invocation.sandbox = Sandbox{root_, "box", std::nullopt};
    return invocation;
  }

  const std::string box_ = root_ + "/box";
  const std::string victim_ = root_ + "/victim";
};

TEST_F(BrokenSandboxTest, EveryCommandButLaunchRunsAndIsHeard) {
  for (const BrokenSandbox& broken : BrokenSandboxes()) {
    SCOPED_TRACE(broken.name);
    for (const Command command : {Command::kUpdate, Command::kUsage,
                                  Command::kWait, Command::kDestroy}) {
      SCOPED_TRACE(CommandName(command));
      MendSandbox(box_);
      broken.apply(box_, victim_);
      Use("exit 7");
      const Answer answer = Run(MakeInBox(command));
      EXPECT_EQ(answer.wait_status, 7 << 8);
      ExpectFailure(answer, absl::StatusCode::kInternal, Outcome::kAnswered,
                    {absl::StrCat("; stderr: \"misbehave: cannot do ",
                                  CommandName(command))});
      EXPECT_EQ(Contents(victim_), "precious");
      if (!HasResult(command)) continue;
      Use("report");
      const Answer report = Run(MakeInBox(command));
      ASSERT_TRUE(report.status.ok()) << report.status;
      EXPECT_THAT(
          *report.output,
          AllOf(
              HasSubstr(absl::StrCat(
                  "cwd=", broken.can_be_opened ? box_ : options_.work_directory,
                  "\n")),
              HasSubstr("fd2=file"), HasSubstr("fd2_append=1"),
              HasSubstr("fds=0 1 2 \n")));
    }
    EXPECT_NE(access((victim_ + ".none").c_str(), F_OK), 0);
  }
}

TEST_F(BrokenSandboxTest, LaunchIsNotStarted) {
  Use("silent");
  for (const BrokenSandbox& broken : BrokenSandboxes()) {
    SCOPED_TRACE(broken.name);
    MendSandbox(box_);
    broken.apply(box_, victim_);
    ExpectFailure(
        Run(MakeInBox(Command::kLaunch)), absl::StatusCode::kFailedPrecondition,
        Outcome::kNotStarted,
        {"was not started", broken.can_be_opened ? "/box/stderr" : "/box\""});
    EXPECT_THAT(started_, IsEmpty());
    EXPECT_EQ(Contents(victim_), "precious");
  }
}

TEST_F(BrokenSandboxTest, LaunchIsNotStartedInADirectoryThatWasPutThere) {
  Use("silent");
  const UniqueFd made(open(box_.c_str(), O_RDONLY | O_CLOEXEC));
  Invocation launch = MakeInBox(Command::kLaunch);
  launch.sandbox->identity = SandboxIdentity(made.get());
  ASSERT_NE(launch.sandbox->identity, "");
  EXPECT_TRUE(Run(launch).status.ok());
  ASSERT_EQ(rename(box_.c_str(), (box_ + ".old").c_str()), 0);
  ASSERT_EQ(mkdir(box_.c_str(), 0755), 0);
  ExpectFailure(Run(launch), absl::StatusCode::kFailedPrecondition,
                Outcome::kNotStarted,
                {"another directory has taken its place"});
  launch.command = Command::kDestroy;
  EXPECT_TRUE(Run(launch).status.ok());
}

TEST_F(BrokenSandboxTest, WhatManyCommandsSayAtOnceIsBounded) {
  Use("noise");
  ASSERT_EQ(rmdir(box_.c_str()), 0);
  for (int i = 0; i < 20; ++i) Collect(MakeInBox(Command::kUsage));
  RunUntil([this] { return answers_.size() == 20; });
  Run(MakeInBox(Command::kDestroy));
  struct stat info;
  RunUntil([&] {
    EXPECT_EQ(
        stat((options_.work_directory + "/program.stderr").c_str(), &info), 0);
    return info.st_size < 1 << 20;
  });
}

TEST_F(BrokenSandboxTest, WithoutAPlaceForStderrCommandsRunAllTheSame) {
  Use("silent");
  ASSERT_EQ(mkdir((options_.work_directory + "/program.stderr").c_str(), 0700),
            0);
  EXPECT_TRUE(Run(Command::kRecover).status.ok());
  ASSERT_EQ(rmdir(box_.c_str()), 0);
  EXPECT_TRUE(Run(MakeInBox(Command::kDestroy)).status.ok());
}

TEST_F(ForkExecTest, WhatIsNoInvocationIsRefused) {
  Use("silent");
  Invocation invocation = Make(Command::kUpdate);
  invocation.input.resize(kMaxInputBytes + 1);
  ExpectFailure(Run(std::move(invocation)), absl::StatusCode::kInvalidArgument,
                Outcome::kNotStarted, {"too large"});
  invocation = Make(Command::kUpdate);
  invocation.environment["X"] = std::string("a\0b", 3);
  ExpectFailure(Run(std::move(invocation)), absl::StatusCode::kInvalidArgument,
                Outcome::kNotStarted, {"NUL"});
  invocation = Make(Command::kUpdate);
  invocation.environment["X"] = std::string(1 << 20, 'x');
  ExpectFailure(Run(std::move(invocation)), absl::StatusCode::kInvalidArgument,
                Outcome::kNotStarted, {"too long"});
  invocation = Make(Command::kUpdate);
  invocation.sandbox->path = "../outside";
  ExpectFailure(Run(std::move(invocation)), absl::StatusCode::kInvalidArgument,
                Outcome::kNotStarted, {"no path of a sandbox"});
}

TEST_F(ForkExecTest, WithoutDescriptorsNothingStartsAndLaterItDoes) {
  Use("same");
  ASSERT_TRUE(Run(Command::kUsage).status.ok());
  struct rlimit limit;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
  std::vector<int> taken;
  for (int fd = 0; (fd = dup(0)) >= 0 && fd < 40;) taken.push_back(fd);
  const struct rlimit none = {41, limit.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  // One more at a time: it fails at each place where it can.
  for (;;) {
    const Answer answer = Run(Command::kUsage);
    if (answer.status.ok()) break;
    ExpectFailure(answer, absl::StatusCode::kResourceExhausted,
                  Outcome::kNotStarted, {"was not started"});
    ASSERT_FALSE(taken.empty());
    close(taken.back());
    taken.pop_back();
  }
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  for (int fd : taken) close(fd);
  EXPECT_EQ(transport_->MaxWaits(), (limit.rlim_cur - 256) / 2);
}

TEST_F(ForkExecTest, StderrOfCommandsWithoutASandboxDoesNotGrowForEver) {
  Use("noise");
  for (int i = 0; i < 5; ++i) Run(Command::kRecover);
  struct stat info;
  for (const char* name : {"/program.stderr", "/program.stderr.old"}) {
    RunUntil([&] {
      EXPECT_EQ(stat((options_.work_directory + name).c_str(), &info), 0);
      return info.st_size <= 1 << 20;
    });
  }
}

TEST_F(ForkExecTest, DestructionEndsWhatOnlyAsksAndLeavesWhatActs) {
  Use("hang");
  std::map<Command, pid_t> pids;
  for (Command command : {Command::kWait, Command::kUsage, Command::kContainers,
                          Command::kRecover, Command::kDestroy}) {
    Invoke(Make(command));
    pids[command] = started_.back();
  }
  transport_.reset();
  for (const auto& [command, pid] : pids) {
    if (command == Command::kDestroy) continue;
    // Not even a zombie stays.
    RunUntil([pid = pid] { return kill(pid, 0) != 0; });
  }
  EXPECT_TRUE(IsAlive(pids[Command::kDestroy]));
  kill(pids[Command::kDestroy], SIGKILL);
  EXPECT_EQ(waitpid(pids[Command::kDestroy], nullptr, 0),
            pids[Command::kDestroy]);
  RunUntil([] { return true; });
  EXPECT_THAT(answers_, IsEmpty());
}

TEST_F(ForkExecTest, WhatCannotBeEndedInTimeIsUnknownAndReapedLater) {
  options_.kill_patience = absl::ZeroDuration();
  Use("family 5");
  const InvocationId id = Invoke(Make(Command::kLaunch));
  RunUntil([&] { return Pids().size() == 5; });
  transport_->Cancel(id);
  loop_->Run();
  ASSERT_EQ(answers_.size(), 1u);
  ExpectFailure(answers_[0], absl::StatusCode::kCancelled, Outcome::kUnknown,
                {"could not be ended"});
  RunUntil([&] { return kill(started_.back(), 0) != 0; });
}

TEST_F(ForkExecTest, WhenSomebodyElseReapsAGoodRecordCounts) {
  options_.on_started = [](Command, const std::optional<Sandbox>&, pid_t pid) {
    EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
  };
  Use("record-exit 0");
  const Answer usage = Run(Command::kUsage);
  EXPECT_EQ(usage.output, "good");
  EXPECT_EQ(usage.wait_status, std::nullopt);
  EXPECT_EQ(usage.outcome, Outcome::kAnswered);
  EXPECT_TRUE(usage.status.ok()) << usage.status;
  const Answer update = Run(Command::kUpdate);
  EXPECT_EQ(update.wait_status, std::nullopt);
  ExpectFailure(update, absl::StatusCode::kInternal, Outcome::kUnknown,
                {"exit status cannot be known"});
}

TEST_F(ForkExecTest, AWaitHoldsTwoDescriptors) {
  Use("hang");
  const size_t before = OpenDescriptors();
  for (int i = 0; i < 10; ++i) Invoke(Make(Command::kWait));
  EXPECT_EQ(OpenDescriptors(), before + 20);
}

TEST_F(ForkExecTest, OneWorkDirectoryServesOneTransport) {
  Use("same");
  const auto second = ForkExecTransport(options_)(*loop_);
  EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(second.status().message()),
              HasSubstr("every agent needs a work directory of its own"));
  Use("same");
}

TEST_F(ForkExecTest, ALaunchOfAnEarlierTransportIsEndedBeforeTheFirstCommand) {
  Use("family 3");
  Invoke(Make(Command::kLaunch));
  RunUntil([&] { return Pids().size() == 3; });
  const pid_t launch = started_.back();
  transport_.reset();
  EXPECT_TRUE(IsAlive(launch));
  Use("same");
  answers_.clear();
  options_.on_started = nullptr;
  Invoke(Make(Command::kRecover));
  EXPECT_EQ(started_.back(), launch);  // It has to wait.
  loop_->Run();
  EXPECT_TRUE(answers_[0].status.ok()) << answers_[0].status;
  for (pid_t pid : Pids()) EXPECT_FALSE(IsAlive(pid));
  EXPECT_EQ(waitpid(launch, nullptr, WNOHANG), -1);
}

TEST_F(ForkExecTest, WhatAKilledAgentLeftIsEndedBeforeTheFirstCommand) {
  const std::string agent =
      absl::StrCat(getenv("TEST_SRCDIR"), "/", getenv("TEST_WORKSPACE"),
                   "/testing/misbehaving/killed_agent");
  const std::string program = Misbehave("family 3");
  std::vector<const char*> argv = {agent.c_str(), program.c_str(),
                                   options_.work_directory.c_str(),
                                   pids_.c_str(), nullptr};
  pid_t pid;
  ASSERT_EQ(posix_spawn(&pid, agent.c_str(), nullptr, nullptr,
                        const_cast<char* const*>(argv.data()), environ),
            0);
  // A wait, a launch and an update, of three processes each; or it failed.
  RunUntil([&] {
    return Pids().size() == 9 || waitpid(pid, nullptr, WNOHANG) == pid;
  });
  ASSERT_EQ(Pids().size(), 9u);
  kill(pid, SIGKILL);
  ASSERT_EQ(waitpid(pid, nullptr, 0), pid);
  for (pid_t left : Pids()) EXPECT_TRUE(IsAlive(left));

  options_.on_started = [this](Command, const std::optional<Sandbox>&, pid_t) {
    size_t alive = 0;
    for (pid_t left : Pids()) alive += IsAlive(left) ? 1 : 0;
    EXPECT_EQ(alive, 3u);  // The update's: it does what it was told.
  };
  Use("silent");
  EXPECT_TRUE(Run(Command::kRecover).status.ok());
  EXPECT_TRUE(Run(Command::kRecover).status.ok());
}

TEST_F(ForkExecTest, ACommandThatWaitsForLeftoversCanBeCancelled) {
  Use("family 3");
  Invoke(Make(Command::kLaunch));
  RunUntil([&] { return Pids().size() == 3; });
  transport_.reset();
  Use("same");
  answers_.clear();
  started_.clear();
  transport_->Cancel(Invoke(Make(Command::kRecover)));
  loop_->Run();
  ASSERT_EQ(answers_.size(), 1u);
  ExpectFailure(answers_[0], absl::StatusCode::kCancelled, Outcome::kNotStarted,
                {"it was cancelled"});
  EXPECT_TRUE(Run(Command::kUsage).status.ok());
  EXPECT_EQ(started_.size(), 1u);
}

}  // namespace
}  // namespace external_containerizer

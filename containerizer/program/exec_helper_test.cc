// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A program that knows no `serve`, behind exec_helper: agents with a helper and
// agents without one see the same.

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/broken_sandboxes.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/fork_exec/fork_exec.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/sandbox_files.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/unix_socket/helper.h"
#include "external_containerizer/transport/unix_socket/unix_socket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool IsAlive(pid_t pid) {
  const std::optional<ProcStat> stat = ReadProcStat(pid);
  return stat.has_value() && stat->state != 'Z';
}

class ExecHelperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = ::testing::TempDir() + "/x.XXXXXX";
    ASSERT_NE(mkdtemp(root_.data()), nullptr);
    for (const char* name : {"/work", "/plain", "/box"}) {
      ASSERT_EQ(mkdir((root_ + name).c_str(), 0700), 0);
    }
    pids_ = root_ + "/pids";
  }

  void TearDown() override {
    transport_.reset();
    plain_.reset();
    for (const pid_t pid : Pids()) {
      if (IsAlive(pid)) kill(pid, SIGKILL);
    }
    ASSERT_EQ(system(absl::StrCat("rm -rf '", root_, "'").c_str()), 0);
  }

  // The command line of exec_helper, in words that need a shell.
  static std::string Wrapped(const std::string& program) {
    return absl::StrCat(TestDataPath("containerizer/program/exec_helper"), " '",
                        program, "'");
  }

  static std::string Misbehave(const std::string& mode) {
    return absl::StrCat(TestDataPath("testing/misbehaving/misbehave"), " ",
                        mode);
  }

  void Use(const std::string& program,
           absl::Duration start_timeout = absl::Seconds(10)) {
    UnixSocketOptions options;
    options.start_timeout = start_timeout;
    options.program = Wrapped(program);
    options.work_directory = root_ + "/work";
    auto transport = UnixSocketTransport(options)(*loop_);
    ASSERT_THAT(transport, IsOk());
    transport_ = *std::move(transport);
    ForkExecOptions plain;
    plain.program = program;
    plain.work_directory = root_ + "/plain";
    plain_.reset();
    auto made = ForkExecTransport(plain)(*loop_);
    ASSERT_THAT(made, IsOk());
    plain_ = *std::move(made);
  }

  Invocation Make(Command command) {
    Invocation invocation;
    invocation.command = command;
    invocation.timeout = absl::Seconds(30);
    invocation.environment["MISBEHAVE_PIDS"] = pids_;
    if (command != Command::kContainers && command != Command::kRecover) {
      invocation.input = "in\xff\n";
      invocation.sandbox = Sandbox{root_, "box", std::nullopt};
    }
    return invocation;
  }

  std::string Socket() const { return root_ + "/work/s.sock"; }

  // The socket of the helper that Use() makes the transport start.
  std::string OwnSocket() const {
    std::string found;
    DIR* directory = opendir((root_ + "/work").c_str());
    while (const dirent* entry = readdir(directory)) {
      if (absl::EndsWith(entry->d_name, ".sock")) found = entry->d_name;
    }
    closedir(directory);
    return absl::StrCat(root_, "/work/", found);
  }

  // A program whose launches last until Release().
  std::string SlowProgram() {
    const std::string program = root_ + "/program";
    std::ofstream(program) << "#!/bin/sh\n"
                           << "case $1 in launch) echo $$ >>" << pids_
                           << "; read -r line <" << root_ << "/go;; esac\n";
    EXPECT_EQ(chmod(program.c_str(), 0700), 0);
    unlink((root_ + "/go").c_str());
    EXPECT_EQ(mkfifo((root_ + "/go").c_str(), 0600), 0);
    return program;
  }

  // A helper for that program, which an operator starts, and an agent's
  // transport to it.
  pid_t SpawnSlow(const std::vector<std::string>& arguments) {
    const std::string program = SlowProgram();
    const std::string helper =
        TestDataPath("containerizer/program/exec_helper");
    const std::string socket = "--socket=" + Socket();
    std::vector<const char*> argv = {helper.c_str(), program.c_str(), "serve",
                                     socket.c_str()};
    for (const std::string& argument : arguments) {
      argv.push_back(argument.c_str());
    }
    argv.push_back(nullptr);
    pid_t pid = -1;
    EXPECT_EQ(posix_spawn(&pid, helper.c_str(), nullptr, nullptr,
                          const_cast<char**>(argv.data()), environ),
              0);
    // The connection stays, so that the helper is not idle before the test
    // connects.
    RunUntil([this] {
      auto client = ttrpc::Client::Connect(*loop_, Socket());
      if (client.ok()) first_client_ = *std::move(client);
      return client.ok();
    });
    UnixSocketOptions options;
    options.program = program;
    options.work_directory = root_ + "/work";
    options.socket = Socket();
    auto transport = UnixSocketTransport(options)(*loop_);
    EXPECT_THAT(transport, IsOk());
    transport_ = *std::move(transport);
    return pid;
  }
  void Release() { std::ofstream(root_ + "/go") << "go\n"; }

  static int ExitCode(pid_t pid) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  using Pending = std::shared_ptr<std::optional<Answer>>;
  Pending Invoke(Transport& transport, Invocation invocation) {
    auto answer = std::make_shared<std::optional<Answer>>();
    last_ = transport.Invoke(std::move(invocation), [answer](Answer given) {
      *answer = std::move(given);
    });
    return answer;
  }

  void RunUntil(const std::function<bool()>& condition) {
    const absl::Time end = absl::Now() + absl::Seconds(60);
    std::function<void()> look = [&] {
      if (condition() || absl::Now() > end) {
        loop_->Stop();
      } else {
        loop_->RunAfter(absl::Milliseconds(1), look);
      }
    };
    look();
    loop_->Run();
    ASSERT_TRUE(condition());
  }

  Answer Await(const Pending& pending) {
    RunUntil([&] { return pending->has_value(); });
    return pending->value_or(Answer());
  }

  std::vector<pid_t> Pids() {
    std::ifstream lines(pids_);
    return {std::istream_iterator<pid_t>(lines), {}};
  }

  size_t Alive() {
    size_t alive = 0;
    for (const pid_t pid : Pids()) alive += IsAlive(pid) ? 1 : 0;
    return alive;
  }

  std::string root_;
  std::string pids_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Transport> plain_;
  std::unique_ptr<ttrpc::Client> first_client_;
  InvocationId last_ = 0;
};

TEST_F(ExecHelperTest, AnswersAreThoseOfAProcessPerCommand) {
  for (const char* mode :
       {"silent", "exit 3", "signal 9", "text", "announce 100", "short",
        "empty-record", "record 100000", "same", "record-exit", "noise"}) {
    Use(Misbehave(mode));
    for (const Command command : {Command::kRecover, Command::kUsage,
                                  Command::kWait, Command::kUpdate}) {
      SCOPED_TRACE(absl::StrCat(mode, " ", CommandName(command)));
      const Answer answer = Await(Invoke(*transport_, Make(command)));
      const Answer plain = Await(Invoke(*plain_, Make(command)));
      EXPECT_EQ(answer.outcome, plain.outcome);
      EXPECT_EQ(answer.output, plain.output);
      EXPECT_EQ(answer.wait_status, plain.wait_status);
      EXPECT_EQ(answer.status.code(), plain.status.code());
      EXPECT_EQ(answer.status.message(), plain.status.message());
    }
  }
}

TEST_F(ExecHelperTest, WhateverATaskDidToItsSandboxCommandsAboutItRun) {
  const std::string box = root_ + "/box";
  const std::string victim = root_ + "/victim";
  std::ofstream(victim) << "precious";
  Use(Misbehave("exit 7"));
  for (const BrokenSandbox& broken : BrokenSandboxes()) {
    for (const Command command : {Command::kUpdate, Command::kUsage,
                                  Command::kWait, Command::kDestroy}) {
      SCOPED_TRACE(absl::StrCat(broken.name, ", ", CommandName(command)));
      MendSandbox(box);
      broken.apply(box, victim);
      const Answer answer = Await(Invoke(*transport_, Make(command)));
      EXPECT_EQ(answer.wait_status, 7 << 8) << answer.status;
      EXPECT_THAT(std::string(answer.status.message()),
                  HasSubstr("misbehave: cannot do"));
    }
    const Answer launch = Await(Invoke(*transport_, Make(Command::kLaunch)));
    EXPECT_EQ(launch.outcome, Outcome::kNotStarted) << launch.status;
    EXPECT_EQ(Contents(victim), "precious");
  }
}

TEST_F(ExecHelperTest, LaunchIsNotStartedInADirectoryThatWasPutThere) {
  Use(Misbehave("silent"));
  const std::string box = root_ + "/box";
  const UniqueFd made(open(box.c_str(), O_RDONLY | O_CLOEXEC));
  Invocation launch = Make(Command::kLaunch);
  launch.sandbox->identity = SandboxIdentity(made.get());
  EXPECT_THAT(Await(Invoke(*transport_, launch)).status, IsOk());
  ASSERT_EQ(rename(box.c_str(), (box + ".old").c_str()), 0);
  ASSERT_EQ(mkdir(box.c_str(), 0755), 0);
  const Answer answer = Await(Invoke(*transport_, launch));
  EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  EXPECT_THAT(std::string(answer.status.message()),
              HasSubstr("another directory has taken its place"));
}

TEST_F(ExecHelperTest, CancelEndsTheSessionOfTheCommand) {
  Use(Misbehave("family 3"));
  const Pending launch = Invoke(*transport_, Make(Command::kLaunch));
  RunUntil([this] { return Pids().size() == 3; });
  EXPECT_EQ(Alive(), 3u);
  transport_->Cancel(last_);
  const Answer answer = Await(launch);
  EXPECT_EQ(answer.outcome, Outcome::kEnded);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(Alive(), 0u);
}

TEST_F(ExecHelperTest, TimeThatIsOverEndsTheSessionOfTheCommand) {
  Use(Misbehave("family 3"));
  Invocation invocation = Make(Command::kUpdate);
  invocation.timeout = absl::Milliseconds(500);
  const Answer answer = Await(Invoke(*transport_, std::move(invocation)));
  EXPECT_EQ(answer.outcome, Outcome::kEnded);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(Alive(), 0u);
}

TEST_F(ExecHelperTest, WaitsOfAnAgentThatIsGoneAreEnded) {
  Use(Misbehave("family 3"));
  Invoke(*transport_, Make(Command::kWait));
  RunUntil([this] { return Pids().size() == 3; });
  transport_.reset();
  RunUntil([this] { return Alive() == 0; });
}

TEST_F(ExecHelperTest, LaunchOfAnAgentThatIsGoneIsEndedBeforeTheNextRecovers) {
  const std::string program = root_ + "/program";
  std::ofstream(program) << "#!/bin/sh\n"
                         << "case $1 in launch) echo $$ >>" << pids_
                         << "; exec sleep 1000;; esac\n"
                         << "kill -0 $(cat " << pids_ << ") && exit 9\n"
                         << "exit 0\n";
  ASSERT_EQ(chmod(program.c_str(), 0700), 0);
  Use(program);
  Invoke(*transport_, Make(Command::kLaunch));
  RunUntil([this] { return Pids().size() == 1; });
  Use(program);
  const Answer answer = Await(Invoke(*transport_, Make(Command::kRecover)));
  EXPECT_THAT(answer.status, IsOk());
  EXPECT_EQ(Alive(), 0u);
}

TEST_F(ExecHelperTest, ProgramsMayHaveAsManyDescriptorsAsTheHelperWasGiven) {
  const std::string program = root_ + "/program";
  std::ofstream(program) << "#!/bin/sh\nulimit -Sn >" << root_ << "/seen\n";
  ASSERT_EQ(chmod(program.c_str(), 0700), 0);
  rlimit usual = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &usual), 0);
  const rlimit low = {300, usual.rlim_max};
  ASSERT_GT(low.rlim_max, low.rlim_cur);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
  Use(program);
  const Answer answer = Await(Invoke(*transport_, Make(Command::kRecover)));
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &usual), 0);
  EXPECT_THAT(answer.status, IsOk());
  EXPECT_EQ(Contents(root_ + "/seen"), "300\n");
}

TEST_F(ExecHelperTest, HelperWithALaunchUnderWayIsNotIdle) {
  const pid_t helper = SpawnSlow({"--idle_exit=1ms"});
  const Pending launch = Invoke(*transport_, Make(Command::kLaunch));
  RunUntil([this] { return Pids().size() == 1; });
  first_client_.reset();
  transport_.reset();
  // The helper looks twice a second.
  loop_->RunAfter(absl::Milliseconds(1200), [this] { loop_->Stop(); });
  loop_->Run();
  struct stat info;
  EXPECT_EQ(stat(Socket().c_str(), &info), 0);
  EXPECT_EQ(Alive(), 1u);
  Release();
  EXPECT_EQ(ExitCode(helper), 0);
}

TEST_F(ExecHelperTest, ShutdownLetsALaunchHaveItsTimeAndTermItsLimit) {
  for (const bool term : {false, true}) {
    unlink(pids_.c_str());
    const pid_t helper = SpawnSlow({"--drain_limit=0s"});
    Invocation invocation = Make(Command::kLaunch);
    // Without this its time limit would end it, too.
    if (term) invocation.timeout = absl::InfiniteDuration();
    const Pending launch = Invoke(*transport_, std::move(invocation));
    RunUntil([this] { return Pids().size() == 1; });
    bool told = false;
    ttrpc::Call(*first_client_, helper::kShutdown,
                helper::v1::ShutdownRequest(), {},
                [&told](ttrpc::CallResult<helper::v1::ShutdownReply> result) {
                  EXPECT_THAT(result.reply, IsOk());
                  told = true;
                });
    RunUntil([&told] { return told; });
    if (term) {
      ASSERT_EQ(kill(helper, SIGTERM), 0);
      EXPECT_EQ(Await(launch).outcome, Outcome::kUnknown);
      EXPECT_EQ(ExitCode(helper), 0);
    } else {
      // The listener is closed, so the helper drains.
      RunUntil(
          [this] { return !ttrpc::Client::Connect(*loop_, Socket()).ok(); });
      Release();
      EXPECT_THAT(Await(launch).status, IsOk());
      EXPECT_EQ(ExitCode(helper), 0);
    }
  }
}

TEST_F(ExecHelperTest, WhoWaitsForTheEndOfADrainingHelperIsToldWhichOne) {
  const std::string program = SlowProgram();
  Use(program, absl::Seconds(1));
  const Pending launch = Invoke(*transport_, Make(Command::kLaunch));
  RunUntil([this] { return Pids().size() == 1; });
  // Another agent has a newer version.
  pid_t helper = 0;
  const auto client = ttrpc::Client::Connect(*loop_, OwnSocket());
  ASSERT_THAT(client, IsOk());
  helper::v1::HelloRequest hello;
  hello.set_oldest_version(1);
  hello.set_newest_version(1);
  ttrpc::Call(**client, helper::kHello, hello, {},
              [&helper](ttrpc::CallResult<helper::v1::HelloReply> result) {
                ASSERT_THAT(result.reply, IsOk());
                helper = static_cast<pid_t>(result.reply->pid());
              });
  bool told = false;
  ttrpc::Call(
      **client, helper::kShutdown, helper::v1::ShutdownRequest(), {},
      [&told](ttrpc::CallResult<helper::v1::ShutdownReply>) { told = true; });
  RunUntil([&told] { return told; });
  const auto named = AllOf(HasSubstr(absl::StrCat("process ", helper)),
                           HasSubstr("lets its last commands end"));
  // The agent that started the helper, and an agent that only finds its lock:
  // with a time that is over before they are refused, and without.
  const std::unique_ptr<Transport> starter = std::move(transport_);
  Use(program, absl::Seconds(1));
  for (Transport* transport : {starter.get(), transport_.get()}) {
    Invocation invocation = Make(Command::kUsage);
    invocation.timeout = absl::Milliseconds(700);
    const Pending brief = Invoke(*transport, std::move(invocation));
    const Pending patient = Invoke(*transport, Make(Command::kUsage));
    EXPECT_THAT(Await(brief).status,
                StatusIs(absl::StatusCode::kDeadlineExceeded, named));
    EXPECT_THAT(Await(patient).status,
                StatusIs(absl::StatusCode::kUnavailable, named));
    EXPECT_EQ((*brief)->outcome, Outcome::kNotStarted);
    EXPECT_EQ((*patient)->outcome, Outcome::kNotStarted);
  }
  Release();
  EXPECT_THAT(Await(launch).status, IsOk());
  RunUntil([helper] { return !IsAlive(helper); });
  EXPECT_THAT(Await(Invoke(*transport_, Make(Command::kRecover))).status,
              IsOk());
}

TEST_F(ExecHelperTest, ProgramThatIsNotThereIsTold) {
  UnixSocketOptions options;
  options.program = Wrapped(root_ + "/nothing");
  options.work_directory = root_ + "/work";
  auto transport = UnixSocketTransport(options)(*loop_);
  ASSERT_THAT(transport, IsOk());
  transport_ = *std::move(transport);
  const Answer answer = Await(Invoke(*transport_, Make(Command::kRecover)));
  EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  EXPECT_THAT(answer.status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("/nothing"),
                             HasSubstr("No such file or directory"))));
}

TEST_F(ExecHelperTest, AnyOtherCommandIsTheProgramsOwn) {
  const std::string program = root_ + "/program";
  std::ofstream(program) << "#!/bin/sh\necho \"$0 $# $1\" >" << root_
                         << "/seen; exit 5\n";
  ASSERT_EQ(chmod(program.c_str(), 0700), 0);
  const int status = system((Wrapped(program + " --flag") + " usage").c_str());
  EXPECT_EQ(WEXITSTATUS(status), 5);
  EXPECT_EQ(Contents(root_ + "/seen"), absl::StrCat(program, " 2 --flag\n"));
  const std::string helper = TestDataPath("containerizer/program/exec_helper");
  EXPECT_EQ(WEXITSTATUS(system((helper + " 2>/dev/null").c_str())), 2);
  EXPECT_EQ(WEXITSTATUS(system((helper + " --help >/dev/null").c_str())), 0);
}

}  // namespace
}  // namespace external_containerizer

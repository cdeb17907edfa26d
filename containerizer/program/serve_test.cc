// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// `posix serve` as a process, and the transport that starts it: what they do
// about each other's life and death.

#include "external_containerizer/containerizer/program/serve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "external_containerizer/transport/unique_fd.h"
#include "external_containerizer/transport/unix_socket/helper.h"
#include "external_containerizer/transport/unix_socket/unix_socket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Duration kPatience = absl::Seconds(60);

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool IsAlive(pid_t pid) {
  const std::string stat = Contents(absl::StrCat("/proc/", pid, "/stat"));
  const size_t name_end = stat.rfind(')');
  return name_end != std::string::npos && stat[name_end + 2] != 'Z';
}

size_t OpenDescriptors() {
  size_t count = 0;
  DIR* directory = opendir("/proc/self/fd");
  while (readdir(directory) != nullptr) ++count;
  closedir(directory);
  return count;
}

class ServeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = ::testing::TempDir() + "/v.XXXXXX";
    ASSERT_NE(mkdtemp(root_.data()), nullptr);
    char real[PATH_MAX];
    ASSERT_NE(realpath(root_.c_str(), real), nullptr);
    root_ = real;
    ASSERT_EQ(mkdir((root_ + "/work").c_str(), 0700), 0);
    ASSERT_EQ(mkdir((root_ + "/sandbox").c_str(), 0700), 0);
    work_ = root_ + "/work";
    options_.program = TestDataPath("containerizer/program/posix/posix");
    options_.work_directory = work_;
    options_.probe_interval = absl::Milliseconds(100);
    options_.probe_timeout = absl::Milliseconds(400);
  }

  void TearDown() override {
    transport_.reset();
    // Also ends the helpers: their sockets are gone.
    ASSERT_EQ(system(absl::StrCat("rm -rf '", root_, "'").c_str()), 0);
    for (const pid_t pid : started_) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
  }

  void Connect() {
    transport_.reset();
    auto transport = UnixSocketTransport(options_)(*loop_);
    ASSERT_THAT(transport, IsOk());
    transport_ = *std::move(transport);
  }

  void RunUntil(const std::function<bool()>& condition) {
    const absl::Time end = absl::Now() + kPatience;
    std::function<void()> look = [&] {
      if (condition() || absl::Now() > end) {
        loop_->Stop();
      } else {
        loop_->RunAfter(absl::Milliseconds(1), look);
      }
    };
    look();
    loop_->Run();
    ASSERT_TRUE(condition()) << "it did not come about in time";
  }

  using Pending = std::shared_ptr<std::optional<Answer>>;

  Invocation Make(Command command, std::string input = "") {
    Invocation invocation;
    invocation.command = command;
    invocation.input = std::move(input);
    invocation.environment["MESOS_WORK_DIRECTORY"] = work_;
    if (command != Command::kContainers && command != Command::kRecover) {
      invocation.sandbox = Sandbox{root_, "sandbox", std::nullopt};
    }
    return invocation;
  }

  Pending Invoke(Invocation invocation) {
    auto answer = std::make_shared<std::optional<Answer>>();
    transport_->Invoke(std::move(invocation), [answer](Answer given) {
      EXPECT_FALSE(answer->has_value()) << "called twice";
      *answer = std::move(given);
    });
    return answer;
  }

  Answer Await(const Pending& pending) {
    RunUntil([&pending] { return pending->has_value(); });
    return pending->value_or(Answer());
  }

  Answer Run(Command command) { return Await(Invoke(Make(command))); }

  // Commands of container "c".
  Invocation Launch(const std::string& command) {
    wire::Launch launch;
    launch.mutable_container_id()->set_value("c");
    launch.mutable_executor_info()->mutable_executor_id()->set_value("e");
    launch.mutable_executor_info()->mutable_framework_id()->set_value("f");
    launch.mutable_executor_info()->mutable_command()->set_value(command);
    launch.set_directory(root_ + "/sandbox");
    return Make(Command::kLaunch, launch.SerializePartialAsString());
  }
  template <typename Message>
  Invocation About(Command command) {
    Message message;
    message.mutable_container_id()->set_value("c");
    return Make(command, message.SerializeAsString());
  }
  Invocation Wait() { return About<wire::Wait>(Command::kWait); }
  Invocation Destroy() { return About<wire::Destroy>(Command::kDestroy); }

  // Who serves at `socket`; 0 if nobody does.
  pid_t HelperAt(const std::string& socket) {
    const auto client = ttrpc::Client::Connect(*loop_, socket);
    if (!client.ok()) return 0;
    helper::v1::HelloRequest request;
    request.set_oldest_version(1);
    request.set_newest_version(1);
    std::optional<pid_t> pid;
    ttrpc::Call(
        **client, helper::kHello, request, {kPatience, {}},
        [&pid](ttrpc::CallResult<helper::v1::HelloReply> result) {
          pid = result.reply.ok() ? static_cast<pid_t>(result.reply->pid()) : 0;
        });
    RunUntil([&pid] { return pid.has_value(); });
    return pid.value_or(0);
  }

  // The transport's own socket; empty if there is none.
  std::string Socket() {
    std::string found;
    FILE* list = popen(absl::StrCat("ls '", work_, "'").c_str(), "r");
    char line[300];
    while (fgets(line, sizeof(line), list) != nullptr) {
      if (absl::EndsWith(line, ".sock\n")) {
        found = absl::StrCat(work_, "/", line);
        found.pop_back();
      }
    }
    pclose(list);
    return found;
  }

  pid_t Helper() { return HelperAt(Socket()); }

  // How many processes were told to serve in our work directory.
  int Serving() {
    int count = 0;
    DIR* processes = opendir("/proc");
    while (const dirent* entry = readdir(processes)) {
      const std::string command =
          Contents(absl::StrCat("/proc/", entry->d_name, "/cmdline"));
      if (absl::StrContains(command, "--socket=" + work_)) ++count;
    }
    closedir(processes);
    return count;
  }

  void AwaitEnd(pid_t pid) {
    RunUntil([pid] { return !IsAlive(pid); });
  }

  // A helper that an operator starts.
  pid_t Spawn(const std::vector<std::string>& arguments,
              const std::vector<std::string>& environment = {"PATH=/bin"}) {
    std::vector<char*> argv = {const_cast<char*>(options_.program.c_str())};
    for (const std::string& argument : arguments) {
      argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    std::vector<char*> envp;
    for (const std::string& variable : environment) {
      envp.push_back(const_cast<char*>(variable.c_str()));
    }
    envp.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, Errors().c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    pid_t pid = -1;
    EXPECT_EQ(
        posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), envp.data()),
        0);
    posix_spawn_file_actions_destroy(&actions);
    started_.push_back(pid);
    return pid;
  }

  // Spawns one at options_.socket, which has to be set.
  pid_t SpawnAtSocket(std::vector<std::string> arguments = {},
                      const std::vector<std::string>& environment = {
                          "PATH=/bin"}) {
    arguments.insert(arguments.begin(),
                     {"serve", "--socket=" + options_.socket});
    const pid_t pid = Spawn(arguments, environment);
    RunUntil([this, pid] { return HelperAt(options_.socket) == pid; });
    return pid;
  }

  int ExitCode(pid_t pid) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    for (pid_t& started : started_) {
      if (started == pid) started = started_.back();
    }
    started_.pop_back();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::string Errors() const { return root_ + "/errors"; }

  std::string root_;
  std::string work_;
  UnixSocketOptions options_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::unique_ptr<Transport> transport_;
  std::vector<pid_t> started_;
};

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
  // Whoever lost the race has ended.
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
    // The second time it finds the first one's.
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
  // Its socket is still there, and nobody listens.
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
    // The helper that is killed may be one that is only starting.
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
  EXPECT_THAT(Await(Invoke(Destroy())).status, IsOk());
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
  // Whatever comes now is told so, and nothing waits.
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
    // What the operator is told to do.
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

TEST_F(ServeTest, ProgramThatKnowsNoServeIsToldAboutExecHelper) {
  options_.program = root_ + "/program";
  std::ofstream(options_.program) << "#!/bin/sh\necho no \"$1\" >&2; exit 64\n";
  ASSERT_EQ(chmod(options_.program.c_str(), 0700), 0);
  Connect();
  const Answer answer = Run(Command::kRecover);
  EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  EXPECT_THAT(
      answer.status,
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr("exited with status 64"), HasSubstr("no serve"),
                     HasSubstr("exec_helper " + options_.program))));
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

TEST_F(ServeTest, ProgramWhoseEndNobodyKnowsIsQuotedWhenTimeIsOver) {
  options_.program = root_ + "/program";
  std::ofstream(options_.program) << "#!/bin/sh\necho no \"$1\" >&2\n";
  ASSERT_EQ(chmod(options_.program.c_str(), 0700), 0);
  options_.start_timeout = absl::Milliseconds(500);
  const sighandler_t before = signal(SIGCHLD, SIG_IGN);
  Connect();
  const Answer answer = Run(Command::kRecover);
  signal(SIGCHLD, before);
  EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  EXPECT_THAT(
      answer.status,
      StatusIs(absl::StatusCode::kUnavailable,
               AllOf(HasSubstr("SIGCHLD is ignored"), HasSubstr("no serve"),
                     HasSubstr("exec_helper " + options_.program))));
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
  EXPECT_FALSE(IsAlive(pid));
  EXPECT_EQ(waitpid(pid, nullptr, WNOHANG), -1) << "it was not reaped";
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

TEST_F(ServeTest, LaunchMakesTheSandboxsFilesAsAProcessWould) {
  Connect();
  ASSERT_THAT(Await(Invoke(Launch("echo $HELPERS; echo oops >&2; pwd"))).status,
              IsOk());
  wire::Termination termination;
  ASSERT_TRUE(
      termination.ParseFromString(Await(Invoke(Wait())).output.value_or("")));
  EXPECT_EQ(wire::ExitOf(termination),
            (wire::Exit{wire::Exit::Kind::kExited, 0}));
  EXPECT_EQ(Contents(root_ + "/sandbox/stdout"),
            absl::StrCat("\n", root_, "/sandbox\n"));
  EXPECT_EQ(Contents(root_ + "/sandbox/stderr"), "oops\n");
  // An error is there, too, and in the answer.
  const Answer again = Await(Invoke(Launch("true")));
  EXPECT_EQ(again.outcome, Outcome::kAnswered);
  EXPECT_THAT(again.status, StatusIs(absl::StatusCode::kInternal,
                                     AllOf(HasSubstr("launch by \"posix\""),
                                           HasSubstr("container \"c\""),
                                           HasSubstr("(ALREADY_EXISTS)"))));
  EXPECT_THAT(Contents(root_ + "/sandbox/stderr"),
              HasSubstr("posix: launch: container \"c\": "));
  EXPECT_THAT(Await(Invoke(Destroy())).status, IsOk());
}

TEST_F(ServeTest, HelperHasAllDescriptorsAndItsTasksAsManyAsItWasGiven) {
  rlimit usual = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &usual), 0);
  const rlimit low = {300, usual.rlim_max};
  ASSERT_GT(low.rlim_max, low.rlim_cur);
  const std::string posix = options_.program;
  const struct {
    const char* flag;
    const char* limits;
  } kCases[] = {{"", "300\n"}, {" --rlimit=nofile=64:128", "64\n"}};
  for (const auto& test : kCases) {
    options_.program = posix + test.flag;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    Connect();
    const Answer answer = Await(Invoke(Launch("ulimit -Sn")));
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &usual), 0);
    ASSERT_THAT(answer.status, IsOk());
    EXPECT_THAT(Await(Invoke(Wait())).status, IsOk());
    EXPECT_EQ(Contents(root_ + "/sandbox/stdout"), test.limits);
    const pid_t helper = Helper();
    rlimit its = {};
    ASSERT_EQ(prlimit(helper, RLIMIT_NOFILE, nullptr, &its), 0);
    EXPECT_EQ(its.rlim_cur, its.rlim_max);
    EXPECT_THAT(Await(Invoke(Destroy())).status, IsOk());
    ASSERT_EQ(unlink((root_ + "/sandbox/stdout").c_str()), 0);
    transport_.reset();
    kill(helper, SIGKILL);
    AwaitEnd(helper);
    ASSERT_EQ(unlink(Socket().c_str()), 0);
  }
}

TEST_F(ServeTest, HelpersOwnEnvironmentIsNotTheTasks) {
  options_.socket = work_ + "/s.sock";
  options_.inherit = {"GIVEN"};
  ASSERT_EQ(setenv("GIVEN", "by the agent", 1), 0);
  SpawnAtSocket({}, {"PATH=/bin", "HELPERS=own", "GIVEN=by the helper"});
  Connect();
  Invocation launch = Launch("env");
  launch.environment["PATH"] = "/bin:/usr/bin";
  ASSERT_THAT(Await(Invoke(std::move(launch))).status, IsOk());
  EXPECT_THAT(Await(Invoke(Wait())).status, IsOk());
  EXPECT_THAT(
      Contents(root_ + "/sandbox/stdout"),
      AllOf(HasSubstr("GIVEN=by the agent\n"),
            HasSubstr("PATH=/bin:/usr/bin\n"), Not(HasSubstr("HELPERS"))));
  EXPECT_THAT(Await(Invoke(Destroy())).status, IsOk());
}

TEST_F(ServeTest, SandboxThatIsALinkIsNotUsed) {
  ASSERT_EQ(symlink("sandbox", (root_ + "/link").c_str()), 0);
  Connect();
  Invocation launch = Launch("true");
  launch.sandbox->path = "link";
  const Answer answer = Await(Invoke(std::move(launch)));
  EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kFailedPrecondition,
                                      HasSubstr("symbolic link")));
}

TEST_F(ServeTest, SystemdMayListenForIt) {
  options_.socket = work_ + "/s.sock";
  const auto listener = ttrpc::ListenUnix(options_.socket);
  ASSERT_THAT(listener, IsOk());
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(*listener, 3);
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_PID", absl::StrCat(getpid()).c_str(), 1);
    execl(options_.program.c_str(), "posix", "serve", nullptr);
    _exit(1);
  }
  close(*listener);
  started_.push_back(pid);
  Connect();
  RunUntil([this] { return Run(Command::kContainers).status.ok(); });
  EXPECT_EQ(HelperAt(options_.socket), pid);
}

TEST_F(ServeTest, TenThousandConnectionsAreBounded) {
  options_.socket = work_ + "/s.sock";
  const pid_t pid = SpawnAtSocket();
  Connect();
  EXPECT_THAT(Run(Command::kContainers).status, IsOk());
  std::vector<UniqueFd> connections;
  int made = 0;
  for (int i = 0; i < 10'000; ++i) {
    const absl::StatusOr<int> fd = ttrpc::ConnectUnix(options_.socket);
    // It is busy, or we have no descriptor left.
    if (!fd.ok()) continue;
    ++made;
    if (connections.size() < 500)
      connections.emplace_back(*fd);
    else
      close(*fd);
  }
  EXPECT_GT(made, 500);
  EXPECT_THAT(Run(Command::kContainers).status, IsOk());
  const std::string descriptors = absl::StrCat("/proc/", pid, "/fd");
  RunUntil([&] {
    FILE* count =
        popen(absl::StrCat("ls ", descriptors, " | wc -l").c_str(), "r");
    int number = 1'000'000;
    EXPECT_EQ(fscanf(count, "%d", &number), 1);
    pclose(count);
    return number < 100;
  });
  connections.clear();
  EXPECT_THAT(Run(Command::kContainers).status, IsOk());
}

TEST_F(ServeTest, ArgumentsThatAreWrongAreToldInOneLine) {
  const struct {
    std::vector<std::string> arguments;
    const char* text;
  } kCases[] = {
      {{"serve"}, "serve needs --socket=PATH"},
      {{"serve", "--socket="}, "does not understand --socket="},
      {{"serve", "--socket=/x", "--idle_exit=soon"}, "needs a duration"},
      {{"serve", "--socket=/x", "more"}, "does not understand more"},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(ExitCode(Spawn(test.arguments)), 2);
    EXPECT_THAT(Contents(Errors()), HasSubstr(test.text));
  }
  EXPECT_EQ(ExitCode(Spawn({"serve", "--socket=" + root_ + "/none/x/s"})), 1);
  ASSERT_EQ(chmod(work_.c_str(), 0777), 0);
  EXPECT_EQ(ExitCode(Spawn({"serve", "--socket=" + work_ + "/s.sock"})), 1);
  EXPECT_THAT(Contents(Errors()), HasSubstr("must not be writable"));
}

}  // namespace
}  // namespace external_containerizer

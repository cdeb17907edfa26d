// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// `agent serve` and its clients as their users start them, with `posix`.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "external_containerizer/containerizer/agent/agent_testing.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/random_name.h"
#include "external_containerizer/transport/selected.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

struct Result {
  int status;
  std::string out;
  std::string err;
};

class ServeTest : public ::testing::Test {
 protected:
  ServeTest() {
    const std::string path = ::testing::TempDir() + "/" + RandomName();
    EXPECT_THAT(MakePath(path), IsOk());
    char real[PATH_MAX];
    EXPECT_NE(realpath(path.c_str(), real), nullptr);
    home_ = real;
    work_ = home_ + "/w";
  }

  ~ServeTest() override {
    if (agent_.has_value()) {
      agent_.reset();
      Run({"serve", "--recover=cleanup"});
    }
  }

  void SetUp() override {
    if (SelectedTransportName() == "mock") {
      GTEST_SKIP() << "runs real programs, and the mock has none";
    }
  }

  AgentProcess Begin(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin() + 1, "--work_dir=" + work_);
    return AgentProcess(arguments,
                        {{"HOME", home_}, {"PATH", "/usr/bin:/bin"}});
  }

  // Runs the agent with its stdout on a full disk.
  Result RunWithFullDisk(std::vector<std::string> arguments) {
    const UniqueFd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
    EXPECT_TRUE(full.valid());
    arguments.insert(arguments.begin() + 1, "--work_dir=" + work_);
    AgentProcess process(arguments,
                         {{"HOME", home_}, {"PATH", "/usr/bin:/bin"}}, full);
    const int status = process.Wait();
    return {status, "", process.err()};
  }

  Result Run(std::vector<std::string> arguments) {
    AgentProcess process = Begin(std::move(arguments));
    const int status = process.Wait();
    return {status, process.out(), process.err()};
  }

  void Serve(std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(), "serve");
    agent_.reset();
    agent_.emplace(Begin(std::move(flags)));
    agent_->Expect("err", "agent: serves ");
  }

  // Returns the agent's open sockets, by names that are never used again.
  std::set<std::string> Sockets() {
    const std::string path = absl::StrCat("/proc/", agent_->pid(), "/fd");
    const UniqueFd directory(
        open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const auto names = NamesIn(directory.get(), 10000);
    EXPECT_THAT(names, IsOk());
    std::set<std::string> sockets;
    for (const std::string& name : *names) {
      char target[PATH_MAX] = {};
      (void)!readlinkat(directory.get(), name.c_str(), target, PATH_MAX - 1);
      if (absl::StartsWith(target, "socket:")) sockets.insert(target);
    }
    return sockets;
  }

  // Starts a client, and waits until it is connected to the agent.
  AgentProcess BeginConnected(std::vector<std::string> arguments) {
    const std::set<std::string> before = Sockets();
    const auto has_come = [&] {
      for (const std::string& socket : Sockets()) {
        if (before.count(socket) == 0) return true;
      }
      return false;
    };
    AgentProcess client = Begin(std::move(arguments));
    const Deadline deadline(kPatience);
    bool came = false;
    while (!came && !deadline.Expired()) {
      poll(nullptr, 0, 1);
      came = has_come();
    }
    EXPECT_TRUE(came);
    return client;
  }

  void Launch(const std::string& name, const std::string& script) {
    const Result result =
        Run({"launch", "--name=" + name, "--", "sh", "-c", script});
    ASSERT_EQ(result.status, 0) << result.err;
    ASSERT_EQ(result.out, name + "\n");
  }

  // Returns the member "sandbox" in the JSON of `list`.
  std::string SandboxOf(const std::string& name) {
    const std::string json = Run({"usage", "--json", name}).out;
    const std::string key = "\"sandbox\":\"";
    const size_t begin = json.find(key) + key.size();
    return json.substr(begin, json.find('"', begin) - begin);
  }

  std::string home_;
  std::string work_;
  std::optional<AgentProcess> agent_;
};

TEST_F(ServeTest, AContainerNeverNoticesThatItsAgentIsKilled) {
  Serve();
  const std::string fifo = home_ + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  Launch("one", absl::StrCat("read x <", fifo, "; echo got $x; exit 7"));
  AgentProcess wait = BeginConnected({"wait", "one"});
  agent_->Signal(SIGKILL);
  EXPECT_EQ(agent_->Wait(), -SIGKILL);
  wait.Expect("err", "waiting for it to come back");
  Serve();
  EXPECT_THAT(agent_->err(), HasSubstr("recovered 1 containers, 0 lost"));
  EXPECT_THAT(Run({"list"}).out,
              AllOf(ContainsRegex("CONTAINER +STATE +CPU +MEMORY +COMMAND"),
                    ContainsRegex("one +running +[0-9.]+ s +[0-9.]+ [KM]iB "
                                  "+sh -c read")));
  std::ofstream(fifo) << "hello\n";
  EXPECT_EQ(wait.Wait(), 7);
  EXPECT_THAT(wait.err(), HasSubstr("agent: one exited with code 7"));
  std::ifstream output(SandboxOf("one") + "/stdout");
  std::string line;
  EXPECT_TRUE(std::getline(output, line));
  EXPECT_EQ(line, "got hello");
}

TEST_F(ServeTest, AnEndThatNobodySawIsReportedAsItWas) {
  Serve();
  const std::string fifo = home_ + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  Launch("one", absl::StrCat("read x <", fifo, "; kill -9 $$"));
  agent_->Signal(SIGKILL);
  agent_->Wait();
  std::ofstream(fifo) << "go\n";
  Serve();
  EXPECT_EQ(Run({"wait", "one"}).status, 128 + SIGKILL);
  const Result again = Run({"wait", "--json", "one"});
  EXPECT_EQ(again.status, 128 + SIGKILL);
  EXPECT_THAT(again.out,
              ContainsRegex("\"container\":\"one\",\"id\":\"[0-9a-f-]{36}\","
                            "\"signal\":9"));
  EXPECT_THAT(Run({"list"}).out, ContainsRegex("one +killed by signal 9"));
}

TEST_F(ServeTest, WhateverATaskDoesToItsFilesItIsAskedForAndEnded) {
  Serve();
  const char* const scripts[] = {
      "rm -f stderr; mkfifo stderr", "rm -f stderr; ln -s /dev/null stderr",
      "ln stderr second", "rm -f stderr; mkdir stderr", "rm -rf \"$PWD\""};
  int number = 0;
  for (const char* script : scripts) {
    SCOPED_TRACE(script);
    const std::string name = absl::StrCat("c", ++number);
    const std::string fifo = absl::StrCat(home_, "/", name);
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    Launch(name,
           absl::StrCat(script, "; echo done >", fifo, "; exec sleep 600"));
    std::string line;
    std::getline(std::ifstream(fifo), line);
    EXPECT_EQ(line, "done");
    const Result usage = Run({"usage", "--json", name});
    EXPECT_EQ(usage.status, 0) << usage.err;
    EXPECT_THAT(usage.out, Not(HasSubstr("\"problem\"")));
    const Result update = Run({"update", "--resources=cpus:1;mem:64", name});
    EXPECT_EQ(update.status, 0) << update.err;
    const Result destroy = Run({"destroy", name});
    EXPECT_EQ(destroy.status, 0) << destroy.err;
    EXPECT_THAT(destroy.err, HasSubstr("killed by signal 15"));
  }
}

TEST_F(ServeTest, TheEndOfATaskWithoutItsFilesIsLearntAfterARestart) {
  Serve();
  const std::string ready = home_ + "/ready";
  const std::string go = home_ + "/go";
  ASSERT_EQ(mkfifo(ready.c_str(), 0600), 0);
  ASSERT_EQ(mkfifo(go.c_str(), 0600), 0);
  int number = 0;
  for (const char* script :
       {"rm -f stderr; mkfifo stderr", "rm -rf \"$PWD\""}) {
    SCOPED_TRACE(script);
    const std::string name = absl::StrCat("c", ++number);
    Launch(name, absl::StrCat(script, "; echo done >", ready, "; read x <", go,
                              "; exit 6"));
    std::string line;
    std::getline(std::ifstream(ready), line);
    agent_->Signal(SIGKILL);
    agent_->Wait();
    Serve();
    std::ofstream(go) << "go\n";
    EXPECT_EQ(Run({"wait", name}).status, 6);
  }
}

TEST_F(ServeTest, CleanupEndsWhatHasNoSandboxAnyMore) {
  Serve();
  const std::string ready = home_ + "/ready";
  ASSERT_EQ(mkfifo(ready.c_str(), 0600), 0);
  Launch("one", absl::StrCat("rm -rf \"$PWD\"; echo done >", ready,
                             "; exec sleep 600"));
  std::string line;
  std::getline(std::ifstream(ready), line);
  agent_->Signal(SIGKILL);
  agent_->Wait();
  agent_.reset();
  const Result cleanup = Run({"serve", "--recover=cleanup"});
  EXPECT_EQ(cleanup.status, 0) << cleanup.err;
  EXPECT_THAT(cleanup.err, HasSubstr("one is destroyed"));
}

TEST_F(ServeTest, TheAgentTakesAllDescriptorsAndATaskHasWhatItWasGiven) {
  rlimit usual = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &usual), 0);
  const rlimit few = {200, usual.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  Serve();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &usual), 0);
  rlimit has = {};
  ASSERT_EQ(prlimit(agent_->pid(), RLIMIT_NOFILE, nullptr, &has), 0);
  EXPECT_EQ(has.rlim_cur, usual.rlim_max);
  Launch("one", "ulimit -Sn");
  EXPECT_EQ(Run({"wait", "one"}).status, 0);
  std::string line;
  std::getline(std::ifstream(SandboxOf("one") + "/stdout"), line);
  EXPECT_EQ(line, "200");
}

TEST_F(ServeTest, EveryCommandOfALife) {
  Serve();
  const Result made_up = Run({"launch", "--", "sleep", "600"});
  EXPECT_EQ(made_up.status, 0) << made_up.err;
  const std::string id(absl::StripSuffix(made_up.out, "\n"));
  EXPECT_THAT(id, SizeIs(18));
  EXPECT_THAT(Run({"usage"}).out,
              AllOf(HasSubstr("CONTAINER"), HasSubstr("LIMIT"), HasSubstr(id)));
  EXPECT_THAT(Run({"usage", "--json", id}).out, HasSubstr("\"memory_bytes\":"));
  const Result update = Run({"update", "--resources=cpus:0.5;mem:64", id});
  EXPECT_EQ(update.status, 0) << update.err;
  const Result events = Run({"events", "--past", "-v", id});
  EXPECT_EQ(events.status, 0) << events.err;
  EXPECT_THAT(events.out, AllOf(HasSubstr("is running: launch succeeded"),
                                HasSubstr("update " + id + " ended")));
  const Result destroy = Run({"destroy", id});
  EXPECT_EQ(destroy.status, 0) << destroy.err;
  EXPECT_THAT(destroy.err, HasSubstr("killed by signal"));
  EXPECT_THAT(Run({"list"}).out, Not(HasSubstr(id)));
  EXPECT_THAT(Run({"list", "--json"}).out, IsEmpty());
}

TEST_F(ServeTest, AnIdIsTakenWhereverANameIs) {
  Serve();
  Launch("one", "exec sleep 600");
  const std::string json = Run({"list", "--json"}).out;
  const std::string key = "\"container\":\"one\",\"id\":\"";
  ASSERT_THAT(json, HasSubstr(key));
  EXPECT_THAT(json,
              HasSubstr("\"command\":[\"sh\",\"-c\",\"exec sleep 600\"]"));
  const std::string id = json.substr(json.find(key) + key.size(), 36);
  EXPECT_EQ(Run({"usage", id}).status, 0);
  EXPECT_EQ(Run({"update", "--resources=cpus:1", id}).status, 0);
  EXPECT_THAT(Run({"events", "--past", "--json", id}).out,
              AllOf(HasSubstr("\"container\":\"one\""),
                    HasSubstr("\"id\":\"" + id + "\"")));
  const Result taken = Run({"launch", "--name=" + id, "--", "true"});
  EXPECT_EQ(taken.status, 125);
  EXPECT_THAT(taken.err, HasSubstr("choose another name"));
  AgentProcess wait = BeginConnected({"wait", "one"});
  const Result destroy = Run({"destroy", id});
  EXPECT_THAT(destroy.err, HasSubstr("agent: one killed by signal"));
  EXPECT_EQ(wait.Wait(), 128 + SIGTERM);
}

TEST_F(ServeTest, OutputThatCannotBeWrittenIsAnError) {
  Serve();
  Launch("one", "exec sleep 600");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"list"},
                                             {"list", "--json"},
                                             {"list", "--help"},
                                             {"usage"},
                                             {"usage", "--json"},
                                             {"events", "--past"},
                                             {"events", "--past", "--json"},
                                             {"doctor"},
                                             {"inspect", "--json"},
                                             {"destroy", "--json", "one"}}) {
    SCOPED_TRACE(arguments[0] + " " + arguments.back());
    const Result result = RunWithFullDisk(arguments);
    EXPECT_EQ(result.status, 125);
    EXPECT_THAT(result.err, HasSubstr("cannot write to stdout: No space"));
  }
  const Result launch =
      RunWithFullDisk({"launch", "--name=two", "--", "sleep", "600"});
  EXPECT_EQ(launch.status, 125);
  EXPECT_THAT(launch.err, HasSubstr("container two runs"));
}

TEST_F(ServeTest, AWaitSaysAtOnceThatThereIsNoAgent) {
  AgentProcess wait = Begin({"wait", "one"});
  wait.Expect("err", "no agent serves " + work_);
}

TEST_F(ServeTest, AnUpdateOfOneLimitLeavesTheOther) {
  Serve();
  ASSERT_EQ(Run({"launch", "--name=one", "--resources=cpus:0.5;mem:64", "--",
                 "sleep", "600"})
                .status,
            0);
  const std::string before = Run({"usage", "one"}).out;
  ASSERT_EQ(Run({"update", "--resources=cpus:0.5", "one"}).status, 0);
  const std::string after = Run({"usage", "one"}).out;
  for (const std::string& usage : {before, after}) {
    SCOPED_TRACE(usage);
    EXPECT_EQ(absl::StrContains(before, "64.0 MiB"),
              absl::StrContains(usage, "64.0 MiB"));
  }
}

TEST_F(ServeTest, ALimitCanBeRemoved) {
  Serve();
  ASSERT_EQ(Run({"launch", "--name=one", "--resources=cpus:0.5;mem:64", "--",
                 "sleep", "600"})
                .status,
            0);
  EXPECT_EQ(Run({"update", "--remove=mem", "one"}).status, 0);
  EXPECT_THAT(Run({"usage", "one"}).out, Not(HasSubstr("64.0 MiB")));
  const Result again = Run({"update", "--remove=mem", "one"});
  EXPECT_EQ(again.status, 125);
  EXPECT_THAT(again.err, HasSubstr("\"one\": it has no limit on mem"));
}

TEST_F(ServeTest, ALaunchThatTheProgramRefusesHasTheExitStatusOfShells) {
  Serve();
  const Result missing = Run({"launch", "--name=one", "--", "no_such_command"});
  EXPECT_EQ(missing.status, 127);
  EXPECT_EQ(missing.out, "");
  EXPECT_THAT(missing.err, HasSubstr("no_such_command"));
  const Result no_program = Run({"launch", "--name=one", "--", "/etc/passwd"});
  EXPECT_EQ(no_program.status, 126);
  EXPECT_THAT(no_program.err, HasSubstr("/etc/passwd"));
  EXPECT_EQ(Run({"launch", "--name=one", "--", "true"}).status, 0);
}

TEST_F(ServeTest, AProgramThatIsNotThereRefusesNoCommand) {
  if (SelectedTransportName() != "fork_exec") {
    GTEST_SKIP() << "the helper stays when its file is gone";
  }
  const std::string program = home_ + "/program";
  ASSERT_EQ(symlink(TestDataPath("containerizer/posix/posix").c_str(),
                    program.c_str()),
            0);
  // With the "$" it is a text for a shell, and the shell exits with 127.
  Serve({"--containerizer_path=" + program + "${NOTHING}"});
  ASSERT_EQ(unlink(program.c_str()), 0);
  const Result launch = Run({"launch", "--name=one", "--", "true"});
  EXPECT_EQ(launch.status, 125) << launch.err;
}

TEST_F(ServeTest, ASocketThatSomebodyRemovedIsMadeAgain) {
  Serve();
  Launch("one", "exec sleep 600");
  ASSERT_EQ(unlink((work_ + "/control/socket").c_str()), 0);
  agent_->Expect("err", "its socket was removed");
  const Result list = Run({"list"});
  EXPECT_EQ(list.status, 0) << list.err;
  EXPECT_THAT(list.out, HasSubstr("one"));
}

TEST_F(ServeTest, AFileSizeLimitRefusesALaunchAndEndsNoAgent) {
  struct rlimit limit = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &limit), 0);
  Serve();
  struct rlimit small = limit;
  small.rlim_cur = 64 << 10;
  ASSERT_EQ(prlimit(agent_->pid(), RLIMIT_FSIZE, &small, nullptr), 0);
  const Result launch =
      Run({"launch", "--name=one", "--env=BIG=" + std::string(100'000, 'x'),
           "--", "sleep", "600"});
  EXPECT_EQ(launch.status, 125);
  EXPECT_THAT(launch.err, HasSubstr("executor.info"));
  EXPECT_EQ(Run({"list"}).status, 0);
}

TEST_F(ServeTest, EventsAreToldAsTheyHappen) {
  Serve();
  AgentProcess events = Begin({"events", "--json", "one"});
  Launch("one", "exit 3");
  events.Expect("out", "\"state\":\"gone\"");
  EXPECT_THAT(events.out(), AllOf(HasSubstr("\"state\":\"running\""),
                                  HasSubstr("\"time\":\"2"),
                                  HasSubstr("exited with code 3")));
  agent_->Signal(SIGTERM);
  EXPECT_EQ(events.Wait(), 125);
}

TEST_F(ServeTest, DestroyRemovesTheSandbox) {
  Serve();
  Launch("one", "mkdir -p a/b; ln -s / a/root; exec sleep 600");
  const std::string sandbox = SandboxOf("one");
  EXPECT_EQ(access(sandbox.c_str(), F_OK), 0);
  EXPECT_EQ(Run({"destroy", "one"}).status, 0);
  EXPECT_NE(access(sandbox.c_str(), F_OK), 0);
  // The name can be used again.
  Launch("one", "exit 0");
}

TEST_F(ServeTest, TermEndsTheAgentAndNotItsContainers) {
  Serve();
  Launch("one", "exec sleep 600");
  AgentProcess wait = BeginConnected({"wait", "one"});
  agent_->Signal(SIGTERM);
  EXPECT_EQ(agent_->Wait(), 0);
  EXPECT_THAT(agent_->err(), HasSubstr("containers go on"));
  wait.Expect("err", "waiting for it to come back");
  Serve();
  EXPECT_THAT(Run({"list"}).out, ContainsRegex("one +running"));
}

TEST_F(ServeTest, CleanupDestroysWhatIsThereAndEnds) {
  Serve();
  Launch("one", "exec sleep 600");
  Launch("two", "exit 0");
  agent_->Signal(SIGKILL);
  agent_->Wait();
  const Result cleanup = Run({"serve", "--recover=cleanup"});
  EXPECT_EQ(cleanup.status, 0) << cleanup.err;
  EXPECT_THAT(cleanup.err, AllOf(HasSubstr("one is destroyed"),
                                 HasSubstr("two is destroyed")));
  Serve();
  EXPECT_THAT(Run({"list", "--json"}).out, IsEmpty());
}

TEST_F(ServeTest, TwoAgentsCannotHaveOneWorkDir) {
  Serve();
  const Result second = Run({"serve"});
  EXPECT_EQ(second.status, 125);
  EXPECT_THAT(second.err, HasSubstr("another agent runs with"));
  EXPECT_EQ(Run({"list"}).status, 0);
}

TEST_F(ServeTest, TheSocketIsForItsUserOnlyAndAStaleOneIsReplaced) {
  Serve();
  struct stat status;
  ASSERT_EQ(stat((work_ + "/control").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700u);
  ASSERT_EQ(stat((work_ + "/control/socket").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  agent_->Signal(SIGKILL);
  agent_->Wait();
  EXPECT_EQ(access((work_ + "/control/socket").c_str(), F_OK), 0);
  Serve();
  EXPECT_EQ(Run({"list"}).status, 0);
}

TEST_F(ServeTest, AnotherServerAtTheSocketIsNotReplaced) {
  ASSERT_THAT(MakePath(work_ + "/control"), IsOk());
  ASSERT_EQ(chmod((work_ + "/control").c_str(), 0700), 0);
  const UniqueFd directory(
      open((work_ + "/control").c_str(), O_DIRECTORY | O_PATH | O_CLOEXEC));
  const UniqueFd listener(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // The path may be too long for the address of a socket.
  snprintf(address.sun_path, sizeof(address.sun_path),
           "/proc/self/fd/%d/socket", directory.get());
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<struct sockaddr*>(&address),
                 sizeof(address)),
            0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  const Result serve = Run({"serve"});
  EXPECT_EQ(serve.status, 125);
  EXPECT_THAT(serve.err, HasSubstr("another server listens there"));
}

TEST_F(ServeTest, WithoutAnAgentCommandsSayHowToStartOne) {
  for (const char* command : {"list", "usage", "events"}) {
    const Result result = Run({command});
    EXPECT_EQ(result.status, 125) << command;
    EXPECT_THAT(result.err, HasSubstr("start one: agent serve --work_dir="))
        << command;
  }
}

TEST_F(ServeTest, WhatMakesNoSenseIsSaidInASentence) {
  Serve();
  struct Case {
    std::vector<std::string> arguments;
    const char* complaint;
  };
  for (const Case& c : std::vector<Case>{
           {{"wait", "nobody"}, "there is no container \"nobody\""},
           {{"wait"}, "name the container"},
           {{"wait", "a", "b"}, "\"b\" is one argument too many"},
           {{"destroy", "no\nbody"}, "\"no\\\\nbody\""},
           {{"usage", "nobody"}, "there is no container"},
           {{"update", "nobody"}, "say what it may use"},
           {{"update", "--resources=cpus:1", "nobody"},
            "there is no container"},
           {{"update", "--resources=cpus", "x"}, "--resources: "},
           {{"launch"}, "name the container|there is no command"},
           {{"launch", "--name=../x", "--", "true"}, "container name"},
           {{"launch", "--name=latest", "--", "true"}, "latest"},
           {{"launch", "--name=", "--", "true"}, "--name is empty"},
           {{"lst"}, "did you mean list"}}) {
    const Result result = Run(c.arguments);
    EXPECT_EQ(result.status, 125) << c.arguments[0];
    EXPECT_THAT(result.err, ContainsRegex(c.complaint)) << c.arguments[0];
    EXPECT_THAT(result.out, IsEmpty());
  }
  EXPECT_THAT(Run({"list", "--json"}).out, IsEmpty());
}

TEST_F(ServeTest, DamageIsAnErrorUnlessItIsAskedToBeLenient) {
  Serve();
  Launch("one", "exec sleep 600");
  const std::string sandbox = SandboxOf("one");
  agent_->Signal(SIGKILL);
  agent_->Wait();
  const std::string info = absl::StrReplaceAll(
      sandbox.substr(0, sandbox.find("/runs/")) + "/executor.info",
      {{work_ + "/slaves", work_ + "/meta/slaves"}});
  ASSERT_EQ(access(info.c_str(), F_OK), 0);
  std::ofstream(info, std::ios::trunc) << "rubbish that is no record";
  const Result strict = Run({"serve"});
  EXPECT_EQ(strict.status, 125);
  EXPECT_THAT(strict.err,
              AllOf(HasSubstr("executor.info"), HasSubstr("--lenient"),
                    HasSubstr("agent inspect")));
  Serve({"--lenient"});
  EXPECT_THAT(agent_->err(), HasSubstr("damaged: "));
  EXPECT_THAT(Run({"list"}).out, ContainsRegex("one +running"));
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// `agent run` as its users start it, with `posix`.

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/agent_testing.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/testing/packages.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/linux/random_name.h"
#include "external_containerizer/transport/selected.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "re2/re2.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Agent = AgentProcess;
using Variables = AgentProcess::Variables;

class RunTest : public ::testing::Test {
 protected:
  RunTest() {
    // The path must be short enough for a socket.
    const std::string path = ::testing::TempDir() + "/" + RandomName();
    EXPECT_THAT(MakePath(path), IsOk());
    char real[PATH_MAX];
    EXPECT_NE(realpath(path.c_str(), real), nullptr);
    home_ = real;
    variables_ = {{"HOME", home_}, {"PATH", "/usr/bin:/bin"}};
  }

  void SetUp() override {
    if (SelectedTransportName() != "fork_exec" &&
        SelectedTransportName() != "unix_socket") {
      GTEST_SKIP() << "the transport " << SelectedTransportName()
                   << " runs no programs";
    }
  }

  std::vector<std::string> RunArguments(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"run", "--work_dir=" + Work()});
    return arguments;
  }

  Agent Start(std::vector<std::string> arguments) {
    return Agent(RunArguments(std::move(arguments)), variables_);
  }

  Agent StartShell(const std::string& script) {
    return Start({"--", "sh", "-c", script});
  }

  // Returns the flag for a program that is started once per command; with
  // unix_socket it is put behind exec_helper.
  static std::string ProgramFlag(const std::string& program) {
    const std::string flag = "--containerizer_path=";
    if (SelectedTransportName() != "unix_socket" ||
        absl::EndsWith(program, "/posix")) {
      return flag + program;
    }
    return absl::StrCat(flag, TestDataPath("containerizer/program/exec_helper"),
                        " '", program, "'");
  }

  // Returns the path of a program that is like `posix`, except for the command
  // in `branch`, which is a branch of a shell's `case`.
  std::string Program(const std::string& branch) {
    const std::string path = home_ + "/program";
    std::ofstream(path) << "#!/bin/sh\nposix="
                        << TestDataPath("containerizer/posix/posix")
                        << "\ncase $1 in\n"
                        << branch << " ;;\n*) exec $posix \"$@\" ;;\nesac\n";
    EXPECT_EQ(chmod(path.c_str(), 0755), 0);
    return path;
  }

  std::string Work() const { return home_ + "/w"; }

  // Returns the names of the run directories that are left.
  std::vector<std::string> Left() {
    const UniqueFd run(
        open((Work() + "/run").c_str(), O_DIRECTORY | O_CLOEXEC));
    auto names = NamesIn(run.get(), 100);
    EXPECT_THAT(names, IsOk());
    return names.ok() ? *names : std::vector<std::string>();
  }

  std::string home_;
  Variables variables_;
};

// The process of a task, which has written its pid in its first line.
class TaskProcess {
 public:
  explicit TaskProcess(Agent& agent) {
    agent.Expect("out", "\n");
    pid_t pid = 0;
    EXPECT_TRUE(
        absl::SimpleAtoi(agent.out().substr(0, agent.out().find('\n')), &pid));
    Open(pid);
  }
  explicit TaskProcess(pid_t pid) { Open(pid); }

  // Waits for the end of the process.
  bool Ends() {
    return Poll(static_cast<int>(kPatience / absl::Milliseconds(1)));
  }
  bool HasEnded() { return Poll(0); }

 private:
  void Open(pid_t pid) {
    fd_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    EXPECT_TRUE(fd_.valid() || errno == ESRCH) << pid;
  }
  bool Poll(int milliseconds) {
    if (!fd_.valid()) return true;
    struct pollfd ended = {fd_.get(), POLLIN, 0};
    return poll(&ended, 1, milliseconds) == 1;
  }

  UniqueFd fd_;
};

TEST_F(RunTest, ShowsOutputAndExitsAsTheCommandDoes) {
  Agent agent = StartShell("echo hello; echo oops >&2; exit 3");
  EXPECT_EQ(agent.Wait(), 3);
  EXPECT_EQ(agent.out(), "hello\n");
  const RE2 expected(
      "oops\nagent: exited with code 3 after [0-9.]+ s; cpu [0-9.]+ s user "
      "[0-9.]+ s system, memory [0-9.]+ [KMG]iB\n");
  EXPECT_TRUE(RE2::FullMatch(agent.err(), expected)) << agent.err();
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(RunTest, ARunWhoseTaskRemovesItsSandboxEndsAsTheTaskDoes) {
  Agent agent = StartShell("rm -rf \"$PWD\"; exit 3");
  EXPECT_EQ(agent.Wait(), 3) << agent.err();
}

// Programs in every language do the main job.
class EveryProgram : public RunTest,
                     public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    RunTest::SetUp();
    if (IsSkipped() || !absl::EndsWith(GetParam(), "/python_program")) return;
    const std::string why = MissingForPythonProgram();
    if (!why.empty()) GTEST_SKIP() << why;
  }

  std::string Program() { return ProgramFlag(TestDataPath(GetParam())); }
};

TEST_P(EveryProgram, ShowsOutputAndExitsAsTheCommandDoes) {
  Agent agent = Start({Program(), "--env=WORD=hello", "--", "sh", "-c",
                       "echo $WORD; echo oops >&2; exit 3"});
  EXPECT_EQ(agent.Wait(), 3) << agent.err();
  EXPECT_EQ(agent.out(), "hello\n");
  EXPECT_THAT(agent.err(), HasSubstr("oops\n"));
  EXPECT_THAT(agent.err(), HasSubstr("exited with code 3"));
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_P(EveryProgram, InterruptDestroysTheContainer) {
  Agent agent =
      Start({Program(), "--", "sh", "-c", "echo $$; exec sleep 1000"});
  TaskProcess task(agent);
  agent.Signal(SIGINT);
  agent.Wait();
  EXPECT_TRUE(task.Ends());
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_P(EveryProgram, SignalsDeathIs128AndItsNumber) {
  Agent agent = Start({Program(), "--", "sh", "-c", "kill -9 $$"});
  EXPECT_EQ(agent.Wait(), 128 + SIGKILL) << agent.err();
}

TEST_P(EveryProgram, ATextForAShellRunsAsACommandDoes) {
  Agent agent = Start({Program(), "--shell=echo hello; exit 3"});
  EXPECT_EQ(agent.Wait(), 3) << agent.err();
  EXPECT_EQ(agent.out(), "hello\n");
}

INSTANTIATE_TEST_SUITE_P(
    All, EveryProgram,
    ::testing::Values("containerizer/posix/posix",
                      "testing/programs/python_program",
                      "testing/programs/shell_program"),
    [](const ::testing::TestParamInfo<const char*>& program) {
      const std::string path = program.param;
      return path.substr(path.rfind('/') + 1);
    });

TEST_F(RunTest, OutputIsShownWhileTheCommandRuns) {
  const std::string fifo = home_ + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  Agent agent =
      StartShell(absl::StrCat("echo one; read x <", fifo, "; echo two"));
  agent.Expect("out", "one\n");
  EXPECT_EQ(agent.out(), "one\n");
  std::ofstream(fifo) << "go\n";
  EXPECT_EQ(agent.Wait(), 0);
  EXPECT_EQ(agent.out(), "one\ntwo\n");
}

TEST_F(RunTest, NothingOfALargeOutputIsLost) {
  Agent agent = Start({"--", "seq", "1", "300000"});
  EXPECT_EQ(agent.Wait(), 0);
  std::string expected;
  for (int i = 1; i <= 300000; ++i) absl::StrAppend(&expected, i, "\n");
  EXPECT_TRUE(agent.out() == expected) << agent.out().size();
}

TEST_F(RunTest, SignalsDeathIs128AndItsNumber) {
  Agent agent = StartShell("kill -9 $$");
  EXPECT_EQ(agent.Wait(), 128 + 9);
  EXPECT_THAT(agent.err(), HasSubstr("agent: killed by signal 9 (Killed)"));
}

TEST_F(RunTest, CommandThatIsNotFoundIsTold) {
  Agent agent = Start({"--", "no_such_command", "x"});
  EXPECT_EQ(agent.Wait(), 127);
  EXPECT_EQ(agent.out(), "");
  EXPECT_THAT(agent.err(), AllOf(HasSubstr("no_such_command"),
                                 HasSubstr("No such file or directory"),
                                 Not(HasSubstr("exited with code"))));
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(RunTest, CommandThatIsNoProgramIsTold) {
  Agent agent = Start({"--", "/etc/passwd"});
  EXPECT_EQ(agent.Wait(), 126);
  EXPECT_THAT(agent.err(),
              AllOf(HasSubstr("/etc/passwd"), HasSubstr("Permission denied")));
}

TEST_F(RunTest, ACommandThatTheProgramCannotExecuteHasTheExitStatusOfShells) {
  for (const int code : {126, 127}) {
    Agent agent = Start(
        {ProgramFlag(Program(absl::StrCat("launch) exit ", code))), "--", "x"});
    EXPECT_EQ(agent.Wait(), code);
  }
  Agent agent = Start({ProgramFlag(Program("launch) exit 3")), "--", "x"});
  EXPECT_EQ(agent.Wait(), 125);
  Agent none = Start({ProgramFlag("no_such_program"), "--", "x"});
  EXPECT_EQ(none.Wait(), 125);
}

TEST_F(RunTest, ContainerizerThatIsNotThereIsTold) {
  Agent agent = Start({"--containerizer_path=/no/such", "--", "true"});
  EXPECT_EQ(agent.Wait(), 125);
  EXPECT_EQ(agent.out(), "");
  EXPECT_THAT(agent.err(), AllOf(HasSubstr("/no/such"),
                                 HasSubstr("No such file or directory")));
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(RunTest, ContainerizerThatFailsIsToldWithItsWords) {
  const std::string program = home_ + "/program";
  std::ofstream(program) << "#!/bin/sh\necho \"no $1 \033[31mtoday\" >&2\n"
                            "exit 4\n";
  ASSERT_EQ(chmod(program.c_str(), 0755), 0);
  Agent agent = Start({ProgramFlag(program), "--", "true"});
  EXPECT_EQ(agent.Wait(), 125);
  EXPECT_THAT(agent.err(), AllOf(HasSubstr(program), HasSubstr("recover"),
                                 HasSubstr("exited with status 4"),
                                 HasSubstr("no recover \\x1b[31mtoday")));
}

TEST_F(RunTest, ContainerizerThatPrintsTextIsToldWithIt) {
  Agent agent = Start({ProgramFlag("echo hi"), "--", "true"});
  EXPECT_EQ(agent.Wait(), 125);
  EXPECT_THAT(agent.err(),
              AllOf(HasSubstr("containers"), HasSubstr("hi containers")));
}

TEST_F(RunTest, EnvironmentReachesTheCommand) {
  Agent agent = Start({"--env=A=one two", "--env", "B=x", "--", "sh", "-c",
                       "echo \"$A|$B|$PATH\""});
  EXPECT_EQ(agent.Wait(), 0);
  EXPECT_EQ(agent.out(), "one two|x|/usr/bin:/bin\n");
}

TEST_F(RunTest, NamesOfVariablesNeedNotBeOnesOfAShell) {
  Agent agent = Start({"--env=a.b=1", "--env=c-d=2", "--", "env"});
  EXPECT_EQ(agent.Wait(), 0);
  EXPECT_THAT(agent.out(), AllOf(HasSubstr("a.b=1\n"), HasSubstr("c-d=2\n")));
}

TEST_F(RunTest, TheProgramInheritsWhatItIsToInherit) {
  variables_["AWS_REGION"] = "here";
  variables_["KUBECONFIG"] = "/k";
  variables_["SECRET"] = "s";
  const std::string program = Program(
      "launch) echo \"$AWS_REGION|$KUBECONFIG|$SECRET\"; exec $posix launch");
  Agent agent = Start({"--inherit=AWS_*", "--inherit=KUBECONFIG",
                       ProgramFlag(program), "--", "true"});
  EXPECT_EQ(agent.Wait(), 0) << agent.err();
  EXPECT_EQ(agent.out(), "here|/k|\n");
}

TEST_F(RunTest, ABareExitCodeIsReadAsOneIfThatIsSaid) {
  const std::string program =
      Program("wait) head -c 0; printf '\\2\\0\\0\\0\\30\\3'");
  Agent agent = Start(
      {"--termination_status=exit_code", ProgramFlag(program), "--", "true"});
  EXPECT_EQ(agent.Wait(), 3) << agent.err();
  EXPECT_THAT(agent.err(), HasSubstr("exited with code 3"));
}

TEST_F(RunTest, AResourceThatNobodyIsKnownToEnforceIsNamed) {
  Agent agent = Start({"--resources=bandwidth:5", "--", "true"});
  EXPECT_EQ(agent.Wait(), 0);
  EXPECT_THAT(agent.err(), HasSubstr("known to enforce bandwidth"));
}

TEST_F(RunTest, ArgumentsReachTheCommandAsTheyAre) {
  Agent agent = Start({"--", "printf", "%s|", "a b", "", "$HOME", "'\"*"});
  EXPECT_EQ(agent.Wait(), 0);
  EXPECT_EQ(agent.out(), "a b||$HOME|'\"*|");
}

TEST_F(RunTest, SandboxIsWhereMesosHasItAndOnlyTheUsers) {
  Agent agent = StartShell("pwd; stat -c %a \"$MESOS_WORK_DIRECTORY\"");
  EXPECT_EQ(agent.Wait(), 0);
  const RE2 expected(absl::StrCat(
      RE2::QuoteMeta(Work()),
      "/run/[0-9a-f]+/slaves/[^/]+/frameworks/[^/]+/executors/[^/]+/runs/"
      "[^/]+\n700\n"));
  EXPECT_TRUE(RE2::FullMatch(agent.out(), expected)) << agent.out();
}

TEST_F(RunTest, RelativePathsAreTheUsersUnderBazelRun) {
  variables_["BUILD_WORKING_DIRECTORY"] = home_;
  std::ofstream(home_ + "/task") << "#!/bin/sh\npwd\n";
  ASSERT_EQ(chmod((home_ + "/task").c_str(), 0755), 0);
  Agent agent({"run", "--work_dir=mine", "--", "./task"}, variables_);
  EXPECT_EQ(agent.Wait(), 0) << agent.err();
  EXPECT_THAT(agent.out(), HasSubstr(home_ + "/mine/run/"));
}

TEST_F(RunTest, WorkDirectoryIsBelowHomeByDefault) {
  Agent agent({"run", "--", "pwd"}, variables_);
  EXPECT_EQ(agent.Wait(), 0);
  EXPECT_THAT(agent.out(),
              HasSubstr(home_ + "/.local/state/external_containerizer/run/"));
}

TEST_F(RunTest, WithoutAHomeAWorkDirectoryIsAskedFor) {
  Agent agent({"run", "--", "true"}, {{"PATH", "/bin"}});
  EXPECT_EQ(agent.Wait(), 125);
  EXPECT_THAT(agent.err(), HasSubstr("name one with --work_dir"));
}

TEST_F(RunTest, HelpGoesToStdout) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"run", "--help"}, {"help", "run"}}) {
    Agent agent(arguments, {});
    EXPECT_EQ(agent.Wait(), 0);
    EXPECT_THAT(agent.out(), HasSubstr("Examples:"));
    EXPECT_EQ(agent.err(), "");
  }
}

TEST_F(RunTest, VerboseTellsEveryCommand) {
  Agent agent = Start({"-v", "--", "true"});
  EXPECT_EQ(agent.Wait(), 0);
  EXPECT_EQ(agent.out(), "");
  size_t from = 0;
  for (const char* command :
       {"recover", "containers", "launch", "wait", "usage", "destroy"}) {
    from = agent.err().find(absl::StrCat("agent: ", command), from);
    EXPECT_NE(from, std::string::npos) << command << " in " << agent.err();
  }
}

TEST_F(RunTest, JsonIsOneObjectPerLineAndNothingElse) {
  Agent agent = Start(
      {"--json", "--", "sh", "-c", "echo hello; printf '\\377' >&2; exit 3"});
  EXPECT_EQ(agent.Wait(), 3);
  EXPECT_EQ(agent.err(), "");
  const RE2 object(
      "\\{(\"[a-z_0-9]+\":(\"([^\"\\\\\\x00-\\x1f\\x7f]|\\\\[\"\\\\nt]|"
      "\\\\u[0-9a-f]{4})*\"|-?[0-9]+(\\.[0-9]+)?|null)(,|\\}$))+");
  std::vector<std::string> lines = absl::StrSplit(agent.out(), '\n');
  ASSERT_EQ(lines.back(), "");
  lines.pop_back();
  for (const std::string& line : lines) {
    EXPECT_TRUE(RE2::FullMatch(line, object)) << line;
  }
  EXPECT_THAT(agent.out(),
              AllOf(HasSubstr("\"type\":\"stdout\",\"data\":\"hello\\n\"}\n"),
                    HasSubstr("\"type\":\"stderr\",\"base64\":\"/w==\"}\n"),
                    HasSubstr("\"type\":\"usage\","),
                    HasSubstr("\"event\":\"command_ended\",")));
  EXPECT_THAT(lines.back(),
              AllOf(HasSubstr("\"type\":\"end\",\"exit_code\":3,"),
                    HasSubstr("\"status\":3}")));
}

TEST_F(RunTest, InterruptDestroysTheContainer) {
  Agent agent = StartShell("echo $$; exec sleep 1000");
  TaskProcess task(agent);
  EXPECT_FALSE(task.HasEnded());
  agent.Signal(SIGINT);
  EXPECT_EQ(agent.Wait(), 128 + SIGINT);
  EXPECT_TRUE(task.HasEnded());
  EXPECT_THAT(agent.err(),
              AllOf(HasSubstr("interrupted: destroying the container"),
                    ContainsRegex("agent: (killed by|destroyed)")));
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(RunTest, TerminateDestroysTheContainer) {
  Agent agent = StartShell("echo $$; exec sleep 1000");
  TaskProcess task(agent);
  agent.Signal(SIGTERM);
  // timeout(1) signals its child and then its group.
  agent.Signal(SIGTERM);
  EXPECT_EQ(agent.Wait(), 128 + SIGTERM);
  EXPECT_TRUE(task.HasEnded());
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(RunTest, NoSignalButKillEndsTheAgentAndLeavesTheContainer) {
  for (const int number : {SIGUSR1, SIGQUIT, SIGALRM, SIGRTMIN}) {
    Agent agent = StartShell("echo $$; exec sleep 1000");
    TaskProcess task(agent);
    agent.Signal(number);
    EXPECT_EQ(agent.Wait(), 128 + number);
    EXPECT_TRUE(task.HasEnded());
    EXPECT_THAT(agent.err(),
                HasSubstr(absl::StrCat("told to end by signal ", number)));
  }
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(RunTest, AWaitThatFailsIsSaidAtOnce) {
  Agent agent = Start({ProgramFlag(Program("wait) echo no idea >&2; exit 1")),
                       "--", "sleep", "1000"});
  agent.Expect("err", "will be tried again");
  EXPECT_THAT(agent.err(), HasSubstr("no idea"));
  agent.Signal(SIGINT);
  EXPECT_EQ(agent.Wait(), 128 + SIGINT);
}

TEST_F(RunTest, TheEndTellsTheFirstThingThatWentWrong) {
  Agent agent = Start({"--json",
                       ProgramFlag(Program("launch) echo first >&2; exit 1 ;;\n"
                                           "destroy) echo second >&2; exit 1")),
                       "--", "true"});
  EXPECT_EQ(agent.Wait(), 125);
  const size_t end = agent.out().find("\"type\":\"end\"");
  ASSERT_NE(end, std::string::npos) << agent.out();
  EXPECT_THAT(agent.out().substr(end), HasSubstr("first"));
}

TEST_F(RunTest, WhatALaunchSaysIsShownWhileItHangs) {
  Agent agent = Start(
      {ProgramFlag(Program("launch) echo 'no engine' >&2; exec sleep 1000")),
       "--", "true"});
  agent.Expect("err", "the program's launch has not ended after 5.0 s");
  agent.Expect("err", "no engine");
  agent.Signal(SIGINT);
  EXPECT_EQ(agent.Wait(), 128 + SIGINT);
}

TEST_F(RunTest, WhatALaunchSaidIsShownWhenItIsInterrupted) {
  const std::string said = home_ + "/said";
  ASSERT_EQ(mkfifo(said.c_str(), 0600), 0);
  Agent agent = Start(
      {"-v",
       ProgramFlag(Program(absl::StrCat("launch) echo 'no engine' >&2; echo > ",
                                        said, "; exec sleep 1000"))),
       "--", "true"});
  // Opening the fifo waits for the program, which may not have been executed
  // yet.
  EXPECT_EQ(std::ifstream(said).get(), '\n');
  agent.Signal(SIGTERM);
  EXPECT_EQ(agent.Wait(), 128 + SIGTERM);
  EXPECT_THAT(agent.err(), HasSubstr("no engine"));
}

TEST_F(RunTest, ARecoverThatHangsIsSaidAndEndsWithTheAgent) {
  Agent agent =
      Start({ProgramFlag(Program(absl::StrCat("recover) echo $$ > ", home_,
                                              "/pid; exec sleep 1000"))),
             "--", "true"});
  agent.Expect("err", "the program's recover has not ended after 5.0 s");
  pid_t pid = 0;
  std::ifstream(home_ + "/pid") >> pid;
  ASSERT_GT(pid, 0);
  TaskProcess recover(pid);
  agent.Signal(SIGTERM);
  EXPECT_EQ(agent.Wait(), 128 + SIGTERM);
  EXPECT_THAT(agent.err(), HasSubstr("while the program's recover ran"));
  EXPECT_TRUE(recover.Ends());
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(RunTest, SecondInterruptStopsWaiting) {
  // The task ends only when it is killed, seconds later.
  Agent agent = StartShell("trap '' TERM INT; echo $$; sleep 1000");
  TaskProcess task(agent);
  agent.Signal(SIGINT);
  agent.Expect("err", "interrupt again to stop waiting\n");
  agent.Signal(SIGINT);
  EXPECT_EQ(agent.Wait(), 128 + SIGINT);
  EXPECT_THAT(agent.err(), HasSubstr("not waiting any longer"));
  ASSERT_THAT(Left(), SizeIs(1));
  EXPECT_THAT(agent.err(), HasSubstr(Left()[0]));
  // The next run destroys it.
  Agent next = Start({"--", "true"});
  EXPECT_EQ(next.Wait(), 0);
  EXPECT_TRUE(task.Ends()) << next.err();
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(RunTest, InterruptDuringALaunchSaysThatItIsOver) {
  const std::string program = home_ + "/slow_to_launch";
  std::ofstream(program) << "#!/bin/sh\ncat > /dev/null\n"
                         << "case $1 in launch) exec sleep 1000 ;;\n"
                         << "containers) head -c 4 /dev/zero ;; esac\n";
  ASSERT_EQ(chmod(program.c_str(), 0755), 0);
  Agent agent = Start({"-v", ProgramFlag(program), "--", "true"});
  agent.Expect("err", "agent: launch");
  agent.Signal(SIGINT);
  EXPECT_EQ(agent.Wait(), 128 + SIGINT);
  EXPECT_THAT(agent.err(),
              HasSubstr("agent: destroyed before its launch was over"));
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(RunTest, WhatAKilledRunLeftIsDestroyedByTheNext) {
  Agent killed = StartShell("echo $$; exec sleep 1000");
  TaskProcess task(killed);
  killed.Signal(SIGKILL);
  EXPECT_EQ(killed.Wait(), -SIGKILL);
  EXPECT_FALSE(task.HasEnded());
  ASSERT_THAT(Left(), SizeIs(1));

  {
    // A child that the killed agent was just starting may keep the lock for a
    // moment.
    const UniqueFd left(open((Work() + "/run/" + Left()[0]).c_str(),
                             O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_EQ(flock(left.get(), LOCK_EX), 0);
  }
  Agent next = StartShell("echo hello");
  EXPECT_EQ(next.Wait(), 0);
  EXPECT_EQ(next.out(), "hello\n");
  EXPECT_THAT(next.err(), HasSubstr("which a killed run had left behind"));
  EXPECT_TRUE(task.Ends());
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(RunTest, RunsSideBySideDoNotTouchEachOther) {
  const std::string fifo = home_ + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  Agent first = StartShell(absl::StrCat("echo $$; read x <", fifo, "; exit 7"));
  TaskProcess task(first);
  Agent second = StartShell("echo hello");
  EXPECT_EQ(second.Wait(), 0);
  EXPECT_THAT(second.err(), Not(HasSubstr("left behind")));
  EXPECT_FALSE(task.HasEnded());
  EXPECT_THAT(Left(), SizeIs(1));
  std::ofstream(fifo) << "go\n";
  EXPECT_EQ(first.Wait(), 7);
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(RunTest, DescendantsThatStayBehindAreDestroyed) {
  Agent agent =
      StartShell("setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $!");
  TaskProcess descendant(agent);
  EXPECT_EQ(agent.Wait(), 0);
  EXPECT_TRUE(descendant.Ends());
}

TEST_F(RunTest, ReaderThatGoesAwayEndsTheContainer) {
  Agent agent = StartShell("echo $$; exec yes");
  TaskProcess task(agent);
  agent.CloseOut();
  EXPECT_EQ(agent.Wait(), 128 + SIGPIPE);
  EXPECT_TRUE(task.HasEnded());
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(RunTest, InterruptWorksWhileNobodyReads) {
  Agent agent = StartShell("echo ready >&2; exec yes");
  agent.Expect("err", "ready\n");
  agent.Signal(SIGINT);
  agent.Expect("err", "interrupted");
  EXPECT_EQ(agent.Wait(), 128 + SIGINT);
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(RunTest, LimitsThatTheProgramDoesNotTellAreSaidNotToBeKnown) {
  const std::string program = home_ + "/program";
  const std::string posix = TestDataPath("containerizer/posix/posix");
  for (const std::string& usage :
       {posix + " --cgroups=no usage", std::string("head -c 0")}) {
    std::ofstream(program) << "#!/bin/sh\n"
                           << "[ \"$1\" = usage ] || exec " << posix
                           << " --cgroups=no \"$@\"\n"
                           << "exec " << usage << "\n";
    ASSERT_EQ(chmod(program.c_str(), 0755), 0);
    Agent agent = Start(
        {"--resources=cpus:0.5;mem:64", ProgramFlag(program), "--", "true"});
    EXPECT_EQ(agent.Wait(), 0) << agent.err();
    EXPECT_THAT(agent.err(),
                HasSubstr("(the limits of 0.5 cpus and 64.0 MiB are not known "
                          "to be enforced; see agent doctor)"));
  }
}

TEST_F(RunTest, FilesThatResistAreRemoved) {
  Agent agent = StartShell(
      "mkdir -p a/b; touch a/b/c; ln -s / root; chmod 0 a/b; chmod 500 a");
  EXPECT_EQ(agent.Wait(), 0) << agent.err();
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(RunTest, OutputThatBecameALinkIsNotShown) {
  std::ofstream(home_ + "/secret") << "secret\n";
  Agent agent = StartShell(
      absl::StrCat("echo one; ln -sf ", home_, "/secret stdout; exit 0"));
  EXPECT_EQ(agent.Wait(), 0);
  EXPECT_THAT(agent.out(), Not(HasSubstr("secret")));
}

// Returns whether this machine has terminals; a chroot may have none.
bool HasTerminals() {
  const UniqueFd ptmx(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  return ptmx.valid() && access("/dev/pts/ptmx", F_OK) == 0;
}

TEST_F(RunTest, OnATerminalOneLineTellsTheState) {
  if (!HasTerminals()) GTEST_SKIP() << "no pseudo-terminals here";

  const std::string fifo = home_ + "/fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  Agent agent(RunArguments({"--", "sh", "-c",
                            absl::StrCat("echo hello; read x <", fifo)}),
              variables_, 60);
  agent.Expect("out", "hello\r\n");
  agent.Expect("out", "memory");
  EXPECT_THAT(agent.out(), HasSubstr("hello\r\nrunning "));
  std::ofstream(fifo) << "go\n";
  EXPECT_EQ(agent.Wait(), 0);
  // The last line is complete, and no status line is left before it.
  EXPECT_THAT(agent.out(), HasSubstr("\r\x1b[Kagent: exited with code 0"));
  for (const std::string& line :
       std::vector<std::string>(absl::StrSplit(agent.out(), "\r\x1b[K"))) {
    if (line.rfind("running", 0) == 0) {
      EXPECT_LT(line.size(), 60u);
    }
  }
}

TEST_F(RunTest, ADumbTerminalGetsNoStatusLine) {
  if (!HasTerminals()) GTEST_SKIP() << "no pseudo-terminals here";

  variables_["TERM"] = "dumb";
  Agent agent(RunArguments({"--", "echo", "hello"}), variables_, 60);
  EXPECT_EQ(agent.Wait(), 0);
  EXPECT_THAT(agent.out(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(agent.out(), HasSubstr("hello\r\nagent: exited"));
}

}  // namespace
}  // namespace external_containerizer

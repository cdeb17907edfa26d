// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A helper as commands, systemd, strangers and operators see it.

#include "external_containerizer/containerizer/program/serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/program/serve_testing.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

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
  // An error is in that file, too, and in the answer.
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
    // The server is busy, or this process has no descriptor left.
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
      {{"serve", "--socket="}, "serve needs --socket=PATH"},
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

TEST_F(ServeTest, NothingIsLeftWhereNobodyMayServe) {
  ASSERT_EQ(mkdir((work_ + "/directory").c_str(), 0700), 0);
  std::ofstream(work_ + "/file") << "mine";
  ASSERT_EQ(mkdir((root_ + "/open").c_str(), 0700), 0);
  ASSERT_EQ(chmod((root_ + "/open").c_str(), 0777), 0);
  const struct {
    std::string place;
    const char* text;
  } kCases[] = {{work_ + "/directory", "it is a directory"},
                {work_ + "/file", "it is a file"},
                {root_ + "/open/s.sock", "must not be writable"}};
  for (const auto& test : kCases) {
    EXPECT_EQ(ExitCode(Spawn({"serve", "--socket=" + test.place})), 1);
    EXPECT_THAT(Contents(Errors()), HasSubstr(test.text));
    struct stat info;
    for (const char* left : {".lock", ".files"}) {
      EXPECT_NE(lstat((test.place + left).c_str(), &info), 0)
          << test.place << left;
    }
  }
  EXPECT_EQ(Contents(work_ + "/file"), "mine");
}

}  // namespace
}  // namespace external_containerizer

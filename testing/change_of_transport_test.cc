// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What a program knows is on disk: an agent that comes back with another
// transport finds its containers, and those see nothing of it.

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/blocking.h"
#include "external_containerizer/containerizer/containerizer.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/testing/packages.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/fork_exec/fork_exec.h"
#include "external_containerizer/transport/unix_socket/unix_socket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::IsEmpty;

enum class Way { kForkExec, kUnixSocket };

struct Case {
  const char* name;
  const char* program;
  Way first;
  Way second;
};

class ChangeOfTransportTest : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (absl::EndsWith(GetParam().program, "/python_program")) {
      const std::string why = MissingForPythonProgram();
      if (!why.empty()) GTEST_SKIP() << why;
    }
    work_ = absl::StrCat(::testing::TempDir(), "/change.XXXXXX");
    ASSERT_NE(mkdtemp(work_.data()), nullptr);
    ASSERT_EQ(mkdir(absl::StrCat(work_, "/transport").c_str(), 0700), 0);
    ASSERT_EQ(mkdir(absl::StrCat(work_, "/sandbox").c_str(), 0700), 0);
  }

  void TearDown() override {
    blocking_ = nullptr;
    containerizer_ = nullptr;
    EXPECT_EQ(system(absl::StrCat("rm -rf '", work_, "'").c_str()), 0);
  }

  TransportFactory Transport(Way way) {
    const std::string program = TestDataPath(GetParam().program);
    const std::string transport = work_ + "/transport";
    if (way == Way::kForkExec) {
      ForkExecOptions options;
      options.program = program;
      options.work_directory = transport;
      return ForkExecTransport(options);
    }
    UnixSocketOptions options;
    options.work_directory = transport;
    options.program = program;
    if (program != TestDataPath("containerizer/posix/posix")) {
      options.program =
          absl::StrCat(TestDataPath("containerizer/program/exec_helper"), " '",
                       program, "'");
    }
    return UnixSocketTransport(options);
  }

  // A new agent on the same work directory.
  void StartAgent(Way way) {
    blocking_ = nullptr;
    containerizer_ = nullptr;
    Options options;
    options.environment.work_directory = work_;
    auto containerizer = Containerizer::Create(options, Transport(way));
    ASSERT_THAT(containerizer.status(), IsOk());
    containerizer_ = *std::move(containerizer);
    blocking_ = std::make_unique<BlockingContainerizer>(*containerizer_);
  }

  LaunchRequest Request(const ContainerId& id, const std::string& command) {
    LaunchRequest request;
    request.id = id;
    request.executor.mutable_executor_id()->set_value("executor");
    request.executor.mutable_framework_id()->set_value("framework");
    request.executor.mutable_command()->set_value(command);
    request.sandbox = {work_, "sandbox", std::nullopt};
    return request;
  }

  // Waits until a task has written this file.
  std::string Written(const std::string& name) {
    const absl::Time end = absl::Now() + absl::Seconds(60);
    std::string text;
    while (absl::Now() < end && (text.empty() || text.back() != '\n')) {
      std::ifstream file(absl::StrCat(work_, "/sandbox/", name));
      text.assign(std::istreambuf_iterator<char>(file), {});
    }
    return text;
  }

  std::string work_;
  std::unique_ptr<Containerizer> containerizer_;
  std::unique_ptr<BlockingContainerizer> blocking_;
};

TEST_P(ChangeOfTransportTest, ContainersAreRecoveredAndExitsAreNotLost) {
  StartAgent(GetParam().first);
  ASSERT_THAT(blocking_->Recover({}).status(), IsOk());
  ASSERT_THAT(blocking_->Launch(Request("runs",
                                        "echo $$ >runs; "
                                        "exec sleep 1000")),
              IsOk());
  ASSERT_THAT(blocking_->Launch(Request("ends", "echo x >ends; exit 7")),
              IsOk());
  const pid_t task = atoi(Written("runs").c_str());
  ASSERT_GT(task, 0);
  ASSERT_EQ(Written("ends"), "x\n");

  StartAgent(GetParam().second);
  const Sandbox sandbox = {work_, "sandbox", std::nullopt};
  const auto summary =
      blocking_->Recover({{"runs", KnownContainer::State::kRunning, sandbox},
                          {"ends", KnownContainer::State::kRunning, sandbox}});
  ASSERT_THAT(summary.status(), IsOk());
  EXPECT_THAT(summary->recovered,
              ::testing::UnorderedElementsAre("ends", "runs"));
  EXPECT_THAT(summary->lost, IsEmpty());
  EXPECT_EQ(kill(task, 0), 0) << "the task noticed";
  const auto ended = blocking_->Wait("ends");
  ASSERT_THAT(ended.status(), IsOk());
  EXPECT_EQ(wire::ExitOf(*ended), (wire::Exit{wire::Exit::Kind::kExited, 7}));
  EXPECT_THAT(blocking_->Usage("runs").status(), IsOk());

  StartAgent(GetParam().first);
  ASSERT_THAT(
      blocking_
          ->Recover({{"runs", KnownContainer::State::kRunning, sandbox},
                     {"ends", KnownContainer::State::kCompleted, sandbox}})
          .status(),
      IsOk());
  EXPECT_THAT(blocking_->Destroy("runs").status(), IsOk());
  EXPECT_NE(kill(task, 0), 0);
  StartAgent(GetParam().second);
  ASSERT_THAT(blocking_->Recover({}).status(), IsOk());
  EXPECT_THAT(*blocking_->Containers(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    All, ChangeOfTransportTest,
    ::testing::Values(Case{"PosixToHelper", "containerizer/posix/posix",
                           Way::kForkExec, Way::kUnixSocket},
                      Case{"PosixFromHelper", "containerizer/posix/posix",
                           Way::kUnixSocket, Way::kForkExec},
                      Case{"PythonToHelper", "testing/programs/python_program",
                           Way::kForkExec, Way::kUnixSocket},
                      Case{"PythonFromHelper",
                           "testing/programs/python_program", Way::kUnixSocket,
                           Way::kForkExec},
                      Case{"ShellToHelper", "testing/programs/shell_program",
                           Way::kForkExec, Way::kUnixSocket}),
    [](const ::testing::TestParamInfo<Case>& parameter) {
      return parameter.param.name;
    });

}  // namespace
}  // namespace external_containerizer

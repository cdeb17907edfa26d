// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A supervisor that is killed at each of its system calls, while it starts a
// container and while it ends one. (A launch: see posix_test.)

#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/program/posix/container_records.h"
#include "external_containerizer/containerizer/program/posix/posix_fixture.h"
#include "external_containerizer/containerizer/program/posix/process.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/record_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::IsEmpty;

constexpr int kSystemCall = SIGTRAP | 0x80;

// Follows a launch and what it starts until the launch ends. The supervisor is
// the child of its child; it is killed at the `calls`-th stop, before or after
// a system call. Exits with 1 if that came, and lets all others go.
[[noreturn]] void Trace(pid_t launch, int calls) {
  int status = 0;
  waitpid(launch, &status, 0);
  ptrace(PTRACE_SETOPTIONS, launch, nullptr,
         PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
             PTRACE_O_TRACESYSGOOD);
  ptrace(PTRACE_CONT, launch, nullptr, nullptr);
  pid_t spawned = 0;
  pid_t supervisor = 0;
  int stops = 0;
  while (true) {
    const pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0) _exit(2);
    if (!WIFSTOPPED(status)) {
      if (pid == launch) _exit(stops >= calls ? 1 : 0);
      continue;
    }
    int signal = WSTOPSIG(status);
    if (status >> 16 != 0) {
      unsigned long child = 0;
      ptrace(PTRACE_GETEVENTMSG, pid, nullptr, &child);
      if (pid == launch) spawned = static_cast<pid_t>(child);
      if (pid == spawned) supervisor = static_cast<pid_t>(child);
      signal = 0;
    } else if (signal == kSystemCall) {
      if (++stops == calls) {
        kill(pid, SIGKILL);
        continue;
      }
      signal = 0;
    } else if (signal == SIGSTOP || signal == SIGTRAP) {
      signal = 0;  // the first of a child that is followed
    }
    ptrace(pid == supervisor ? PTRACE_SYSCALL : PTRACE_CONT, pid, nullptr,
           signal);
  }
}

bool SupervisorKilledAt(int calls, const std::string& record,
                        const std::map<std::string, std::string>& environment) {
  const int input = memfd_create("record", MFD_CLOEXEC);
  EXPECT_EQ(write(input, record.data(), record.size()),
            static_cast<ssize_t>(record.size()));
  EXPECT_EQ(lseek(input, 0, SEEK_SET), 0);
  const std::string binary = TestDataPath("containerizer/program/posix/posix");
  std::vector<std::string> variables;
  for (const auto& variable : environment) {
    variables.push_back(absl::StrCat(variable.first, "=", variable.second));
  }
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  char name[] = "posix";
  char command[] = "launch";
  char* const argv[] = {name, command, nullptr};
  // When it ends, what it traces runs on.
  const pid_t tracer = fork();
  if (tracer == 0) {
    const pid_t launch = fork();
    if (launch == 0) {
      dup2(input, 0);
      dup2(input, 2);  // not to be written to the test's
      ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      execve(binary.c_str(), argv, envp.data());
      _exit(127);
    }
    Trace(launch, calls);
  }
  close(input);
  int status = 0;
  EXPECT_EQ(waitpid(tracer, &status, 0), tracer);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) <= 1) << status;
  return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

using PosixCrashTest = PosixTest;

TEST_F(PosixCrashTest, ASupervisorKilledWhileItStartsLeavesWhatDestroyCleans) {
  const std::string mark = absl::StrCat("MARK=", base_);
  environment_["MARK"] = base_;
  const std::string record =
      EncodeRecord(LaunchOf("c", "exec sleep 1000").SerializeAsString());
  int calls = 1;
  while (SupervisorKilledAt(calls, record, environment_)) {
    Destroy("c");
    ASSERT_THAT(List(), IsEmpty()) << "killed at " << calls;
    ASSERT_THAT(Cgroups(), IsEmpty()) << "killed at " << calls;
    const auto left = ProcessesWith(mark);
    ASSERT_TRUE(left.has_value());
    for (const ProcessStat& process : *left) {
      ASSERT_EQ(process.state, 'Z')
          << "killed at " << calls << ": " << process.id.pid;
    }
    ++calls;
  }
  EXPECT_GT(calls, 50) << "it was not followed";
  EXPECT_EQ(List().size(), 1u) << "the last one was not killed";
}

TEST_F(PosixCrashTest, ASupervisorKilledWhileItEndsLeavesWhatDestroyCleans) {
  // Some are killed between the record and the removal of the cgroups.
  for (int i = 0; i < 40; ++i) {
    Launch(LaunchOf("c", "exit 3"));
    const std::optional<LaunchRecord> launch = Records("c").launch;
    ASSERT_TRUE(launch.has_value());
    usleep(static_cast<useconds_t>(i) * 150);
    SignalProcess(launch->supervisor, SIGKILL);
    const wire::Termination end = Wait("c");
    EXPECT_TRUE(end.state() == wire::TASK_FAILED) << end.message();
    if (end.has_status()) {
      EXPECT_EQ(wire::ExitOf(end), Exited(3));
    }
    const Result recovered = Command({"recover"}, environment_, "").Finish();
    EXPECT_EQ(recovered.status, 0) << recovered.errors;
    Destroy("c");
    ASSERT_THAT(List(), IsEmpty()) << i;
    ASSERT_THAT(Cgroups(), IsEmpty()) << i;
  }
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

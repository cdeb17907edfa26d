// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Kills, or holds up, processes of posix at each of their system calls.

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/posix_testing.h"
#include "external_containerizer/containerizer/posix/process_tree.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/record_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr int kSystemCall = SIGTRAP | 0x80;

// Starts a command of posix and traces it. It has stopped before its first
// instruction.
pid_t StartTraced(std::vector<std::string> arguments, const std::string& record,
                  const std::map<std::string, std::string>& environment,
                  int output = -1) {
  const UniqueFd input = FileWith(record);
  const std::string binary = TestDataPath("containerizer/posix/posix");
  arguments.insert(arguments.begin(), binary);
  const Strings argv(std::move(arguments));
  const Strings envp(environment);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(input.get(), 0);
    if (output >= 0) dup2(output, 1);
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    execve(binary.c_str(), argv.get(), envp.get());
    _exit(127);
  }
  int status = 0;
  EXPECT_EQ(waitpid(pid, &status, 0), pid);
  EXPECT_TRUE(WIFSTOPPED(status)) << status;
  return pid;
}

// Lets a stopped process run until it begins or ends its `calls`-th system
// call. Returns false if it has ended before; `status` says how.
bool RunToSystemCall(pid_t pid, int calls, int* status) {
  int signal = 0;
  while (calls > 0) {
    ptrace(PTRACE_SYSCALL, pid, nullptr, signal);
    EXPECT_EQ(waitpid(pid, status, __WALL), pid);
    if (!WIFSTOPPED(*status)) return false;
    signal = 0;
    if (WSTOPSIG(*status) == kSystemCall) {
      --calls;
    } else if (*status >> 16 == 0 && WSTOPSIG(*status) != SIGTRAP) {
      signal = WSTOPSIG(*status);
    }
  }
  return true;
}

void Kill(pid_t traced) {
  kill(traced, SIGKILL);
  int status = 0;
  EXPECT_EQ(waitpid(traced, &status, __WALL), traced);
}

// Kills a launch before or after its `calls`-th system call. Returns false if
// it had ended before.
bool LaunchKilledAt(int calls, const std::vector<std::string>& arguments,
                    const std::string& record,
                    const std::map<std::string, std::string>& environment) {
  const pid_t pid = StartTraced(arguments, record, environment);
  ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_TRACESYSGOOD);
  int status = 0;
  if (!RunToSystemCall(pid, calls, &status)) {
    EXPECT_EQ(status, 0);
    return false;
  }
  Kill(pid);
  return true;
}

// Traces a launch and its descendants until the launch ends. Kills the
// supervisor, which is its grandchild, at the `calls`-th stop before or after a
// system call. Exits with 1 if the supervisor had no task yet, with 2 if it
// had, and with 0 if it made fewer calls. The other processes run freely.
[[noreturn]] void FollowLaunch(pid_t launch, int calls) {
  ptrace(PTRACE_SETOPTIONS, launch, nullptr,
         PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
             PTRACE_O_TRACESYSGOOD);
  ptrace(PTRACE_CONT, launch, nullptr, nullptr);
  pid_t spawned = -1;
  pid_t supervisor = -1;
  bool has_task = false;
  int stops = 0;
  while (true) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0) _exit(3);
    if (!WIFSTOPPED(status)) {
      if (pid == launch) _exit(stops < calls ? 0 : has_task ? 2 : 1);
      continue;
    }
    int signal = WSTOPSIG(status);
    if (status >> 16 != 0) {
      unsigned long child = 0;
      ptrace(PTRACE_GETEVENTMSG, pid, nullptr, &child);
      if (pid == supervisor) has_task = true;
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
      // The first stop of a new child may come before the event of its parent.
      const std::optional<ProcStat> stat = ReadProcStat(pid);
      const pid_t parent = stat.has_value() ? stat->parent : 0;
      if (parent == launch) spawned = pid;
      if (parent == spawned) supervisor = pid;
      signal = 0;
    }
    ptrace(pid == supervisor ? PTRACE_SYSCALL : PTRACE_CONT, pid, nullptr,
           signal);
  }
}

enum class KillTime { kNever, kBeforeTheTask, kWithATask };

KillTime KillSupervisorAt(
    int calls, const std::vector<std::string>& arguments,
    const std::string& record,
    const std::map<std::string, std::string>& environment) {
  // The traced processes run on when the tracer ends.
  const pid_t tracer = fork();
  if (tracer == 0) {
    dup2(FileWith("").get(), 2);  // hides the errors of the launch
    FollowLaunch(StartTraced(arguments, record, environment), calls);
  }
  int status = 0;
  EXPECT_EQ(waitpid(tracer, &status, 0), tracer);
  if (!WIFEXITED(status) || WEXITSTATUS(status) > 2) {
    ADD_FAILURE() << status;
    return KillTime::kNever;
  }
  return static_cast<KillTime>(WEXITSTATUS(status));
}

class PosixCrashTest : public PosixTest {
 protected:
  void SetUp() override {
    PosixTest::SetUp();
    environment_["MARK"] = base_;
  }

  std::vector<ProcStat> MarkedProcesses() {
    const auto found = ProcessesWith(absl::StrCat("MARK=", base_));
    EXPECT_TRUE(found.has_value());
    return found.value_or(std::vector<ProcStat>());
  }

  void ExpectNothingLeft(const std::string& when) {
    ASSERT_THAT(List(), IsEmpty()) << when;
    ASSERT_THAT(Cgroups(), IsEmpty()) << when;
    for (const ProcStat& process : MarkedProcesses()) {
      ASSERT_EQ(process.state, 'Z') << when << ": " << process.pid;
    }
  }
};

TEST_F(PosixCrashTest, ALaunchKilledAtAnySystemCallLeavesWhatDestroyCleans) {
  const std::string record =
      EncodeRecord(LaunchOf("c", "exec sleep 1000").SerializeAsString());
  bool ran = false;
  for (int calls = 1;
       LaunchKilledAt(calls, Arguments("launch"), record, environment_);
       ++calls) {
    ran = ran || !MarkedProcesses().empty();
    Destroy("c");
    ASSERT_NO_FATAL_FAILURE(
        ExpectNothingLeft(absl::StrCat("killed at ", calls)));
  }
  EXPECT_TRUE(ran) << "some were killed after the task had started";
  EXPECT_THAT(List(), ElementsAre("c")) << "the last one was not killed";
}

TEST_F(PosixCrashTest, ALaunchKilledAtAnySystemCallLeavesNoCgroupAfterRecover) {
  const std::string record =
      EncodeRecord(LaunchOf("c", "exec sleep 1000").SerializeAsString());
  bool made = false;
  for (int calls = 1;
       LaunchKilledAt(calls, Arguments("launch"), record, environment_);
       ++calls) {
    // Recover leaves alone a container that is being started, or runs.
    while (!List().empty() && !Records("c").launch.has_value()) {
      made = made || !Cgroups().empty();
      const Result result = Command({"recover"}, environment_, "").Finish();
      ASSERT_EQ(result.status, 0) << result.errors;
    }
    if (!List().empty()) Destroy("c");
    ASSERT_THAT(Cgroups(), IsEmpty()) << "killed at " << calls;
  }
  EXPECT_EQ(made, WhyNoCgroups().empty());
}

TEST_F(PosixCrashTest, ASupervisorKilledWhileItStartsLeavesWhatDestroyCleans) {
  const std::string record =
      EncodeRecord(LaunchOf("c", "exec sleep 1000").SerializeAsString());
  bool before = false, with = false;
  for (int calls = 1;; ++calls) {
    const KillTime killed =
        KillSupervisorAt(calls, Arguments("launch"), record, environment_);
    if (killed == KillTime::kNever) break;
    (killed == KillTime::kWithATask ? with : before) = true;
    Destroy("c");
    ASSERT_NO_FATAL_FAILURE(
        ExpectNothingLeft(absl::StrCat("killed at ", calls)));
  }
  EXPECT_TRUE(before) << "no supervisor was killed before it had a task";
  EXPECT_TRUE(with) << "no supervisor was killed that had one";
  EXPECT_EQ(List().size(), 1u) << "the last one was not killed";
}

TEST_F(PosixCrashTest, ASupervisorKilledWhileItEndsLeavesWhatDestroyCleans) {
  const UniqueFd go = Fifo("go");
  bool killed = true;
  bool unseen = false;
  bool seen = false;
  for (int calls = 1; killed; ++calls) {
    Launch(LaunchOf("c", "read line < go; exit 3"));
    const LaunchRecord launch = Records("c").launch.value();
    const pid_t supervisor = launch.supervisor.pid;
    ASSERT_EQ(ptrace(PTRACE_SEIZE, supervisor, nullptr, PTRACE_O_TRACESYSGOOD),
              0)
        << strerror(errno);
    ASSERT_EQ(ptrace(PTRACE_INTERRUPT, supervisor, nullptr, nullptr), 0);
    int status = 0;
    ASSERT_EQ(waitpid(supervisor, &status, __WALL), supervisor);
    ASSERT_EQ(write(go.get(), "\n", 1), 1);
    AwaitEnd(launch.task.pid);
    killed = RunToSystemCall(supervisor, 2 * calls - 1, &status);
    if (killed) Kill(supervisor);
    const wire::Termination end = Wait("c");
    EXPECT_TRUE(end.state() == wire::TASK_FAILED) << end.message();
    if (end.has_status()) {
      EXPECT_EQ(wire::ExitOf(end), Exited(3));
    }
    (end.has_status() ? seen : unseen) = true;
    const Result recovered = Command({"recover"}, environment_, "").Finish();
    EXPECT_EQ(recovered.status, 0) << recovered.errors;
    Destroy("c");
    ASSERT_NO_FATAL_FAILURE(
        ExpectNothingLeft(absl::StrCat("killed at ", calls)));
  }
  EXPECT_TRUE(seen && unseen) << "it was killed before and after the record";
}

TEST_F(PosixCrashTest, AContainerThatEndsDuringAnyPartOfUsageHasOne) {
  const UniqueFd go = Fifo("go");
  const std::string record =
      EncodeRecord(About<wire::Usage>("c").SerializeAsString());
  bool stopped = true;
  for (int calls = 1; stopped; ++calls) {
    Launch(LaunchOf("c", "read line < go; exit 3"));
    const pid_t supervisor = Records("c").launch->supervisor.pid;
    const UniqueFd output = FileWith("");
    const pid_t usage =
        StartTraced(Arguments("usage"), record, environment_, output.get());
    ptrace(PTRACE_SETOPTIONS, usage, nullptr, PTRACE_O_TRACESYSGOOD);
    int status = 0;
    stopped = RunToSystemCall(usage, 2 * calls - 1, &status);
    ASSERT_EQ(write(go.get(), "\n", 1), 1);
    AwaitEnd(supervisor);
    if (stopped) {
      ptrace(PTRACE_DETACH, usage, nullptr, nullptr);
      ASSERT_EQ(waitpid(usage, &status, 0), usage);
    }
    ASSERT_EQ(status, 0) << "stopped at " << calls;
    const std::string answer =
        ReadFile(absl::StrCat("/proc/self/fd/", output.get()));
    ASSERT_THAT(answer, Not(IsEmpty())) << "stopped at " << calls;
    wire::ResourceStatistics statistics;
    ASSERT_TRUE(statistics.ParseFromString(answer.substr(4)));
    EXPECT_TRUE(statistics.has_cpus_user_time_secs()) << calls;
    EXPECT_TRUE(statistics.has_mem_rss_bytes()) << calls;
    Destroy("c");
  }
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

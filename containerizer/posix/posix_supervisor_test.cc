// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// A supervisor records the true end of its task under all circumstances, and
// costs little memory.

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/posix_testing.h"
#include "external_containerizer/containerizer/posix/process_tree.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using PosixSupervisorTest = PosixTest;

TEST_F(PosixSupervisorTest, AnEndThatCannotBeWrittenNowIsWrittenLater) {
  const UniqueFd go = Fifo("go");
  Launch(LaunchOf("c", "read line < go; exit 3"));
  const std::string path = work_ + "/program/posix/containers/c";
  const pid_t supervisor = Records("c").launch->supervisor.pid;
  // There is room for half a record.
  struct stat file;
  ASSERT_EQ(stat(path.c_str(), &file), 0);
  const timespec untouched = file.st_mtim;
  const rlim_t full = static_cast<rlim_t>(file.st_size) + 9;
  rlimit limit = {};
  ASSERT_EQ(prlimit(supervisor, RLIMIT_FSIZE, nullptr, &limit), 0);
  const rlimit before = limit;
  limit.rlim_cur = full;
  ASSERT_EQ(prlimit(supervisor, RLIMIT_FSIZE, &limit, nullptr), 0);
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  ASSERT_TRUE(Eventually([&] {
    return stat(path.c_str(), &file) == 0 &&
           (file.st_mtim.tv_sec != untouched.tv_sec ||
            file.st_mtim.tv_nsec != untouched.tv_nsec);
  })) << "nothing was written";
  EXPECT_FALSE(Records("c").end.has_value());
  EXPECT_EQ(prlimit(supervisor, RLIMIT_FSIZE, &before, nullptr), 0)
      << "it has given up";
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(3));
}

// Stops the supervisor just before it waits for a signal.
void StopBeforeItWaits(pid_t supervisor) {
  ASSERT_EQ(ptrace(PTRACE_SEIZE, supervisor, nullptr, PTRACE_O_TRACESYSGOOD),
            0);
  ASSERT_EQ(ptrace(PTRACE_INTERRUPT, supervisor, nullptr, nullptr), 0);
  while (true) {
    int status = 0;
    ASSERT_EQ(waitpid(supervisor, &status, __WALL), supervisor);
    ASSERT_TRUE(WIFSTOPPED(status));
    struct __ptrace_syscall_info call = {};
    if (WSTOPSIG(status) == (SIGTRAP | 0x80) &&
        ptrace(PTRACE_GET_SYSCALL_INFO, supervisor, sizeof(call), &call) > 0 &&
        call.op == PTRACE_SYSCALL_INFO_ENTRY &&
        call.entry.nr == SYS_rt_sigtimedwait) {
      return;
    }
    ASSERT_EQ(ptrace(PTRACE_SYSCALL, supervisor, nullptr, nullptr), 0);
  }
}

TEST_F(PosixSupervisorTest, ATaskThatEndedJustBeforeTheDestroyWasNotDestroyed) {
  const UniqueFd go = Fifo("go");
  Launch(LaunchOf("c", "read line < go; exit 3"));
  const LaunchRecord launch = Records("c").launch.value();
  ASSERT_NO_FATAL_FAILURE(StopBeforeItWaits(launch.supervisor.pid));
  ASSERT_EQ(write(go.get(), "\n", 1), 1);
  AwaitEnd(launch.task.pid);
  // Two signals are pending now, and the kernel delivers SIGTERM first.
  ASSERT_TRUE(SignalProcess(launch.supervisor, SIGTERM));
  ASSERT_EQ(ptrace(PTRACE_DETACH, launch.supervisor.pid, nullptr, nullptr), 0);
  const wire::Termination termination = Wait("c");
  EXPECT_EQ(wire::ExitOf(termination), Exited(3));
  EXPECT_EQ(termination.state(), wire::TASK_FAILED);
}

// This task ends, and its descendant makes children of the supervisor until one
// of them gets the pid of the task and exits with 42. That one makes "taken".
constexpr char kTaskWhoseNumberIsReused[] = R"(
  task=$$
  setsid sh -c '
    trap "" TERM
    while kill -0 '$task' 2>/dev/null; do :; done
    n=0
    while [ $n -lt 500 ]; do
      n=$((n + 1))
      echo $(('$task' - 1)) > /proc/sys/kernel/ns_last_pid || exit
      sh -c "sleep 0.05; [ \$\$ != '$task' ] || { : > taken; exit 42; }" &
      [ $! != '$task' ] || exit
    done' &
  while :; do sleep 1000; done
)";

TEST_F(PosixSupervisorTest, AnothersEndUnderTheNumberOfTheTaskIsNotTheTasks) {
  const UniqueFd last(open("/proc/sys/kernel/ns_last_pid", O_WRONLY));
  // Writing the present number back changes nothing.
  if (!last.valid() || access("/proc/sys/kernel/ns_last_pid", W_OK) != 0) {
    GTEST_SKIP() << "numbers cannot be chosen";
  }
  flags_ = {"--grace=20s"};
  // Another process on the machine may get the pid first.
  for (int attempt = 1; attempt <= 20; ++attempt) {
    wire::Launch launch = LaunchOf("c", kTaskWhoseNumberIsReused);
    Launch(launch);
    const auto wait = StartWait("c");
    // The task has made its descendant by now.
    ASSERT_TRUE(Eventually([&] {
      return Descendants(Records("c").launch->supervisor.pid).size() >= 3;
    }));
    Destroy("c");
    EXPECT_EQ(wire::ExitOf(Parse(wait->Finish())), Signaled(SIGTERM));
    if (access((sandbox_ + "/taken").c_str(), F_OK) == 0) return;
  }
  GTEST_SKIP() << "somebody else got the number each time";
}

// Returns the mean of a field of /proc/PID/smaps_rollup, in KiB.
double MemoryOf(const std::vector<pid_t>& pids, const std::string& field) {
  uint64_t sum = 0;
  for (const pid_t pid : pids) {
    const std::string rollup =
        ReadFile(absl::StrCat("/proc/", pid, "/smaps_rollup"));
    const size_t at = rollup.find("\n" + field + ":");
    if (at == std::string::npos) return 0;
    sum += strtoull(rollup.c_str() + at + field.size() + 2, nullptr, 10);
  }
  return static_cast<double>(sum) / static_cast<double>(pids.size());
}

// PSS divides shared memory by its users.
TEST_F(PosixSupervisorTest, AnIdleSupervisorCostsAtMost358KiB) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer has memory of its own";
#endif
  std::vector<pid_t> supervisors;
  for (int i = 0; i < 12; ++i) {
    const std::string id = absl::StrCat("c", i);
    Launch(LaunchOf(id, "exec sleep 1000"));
    supervisors.push_back(Records(id).launch->supervisor.pid);
  }
  for (const pid_t pid : supervisors) {
    const std::string call = absl::StrCat("/proc/", pid, "/syscall");
    if (ReadFile(call).empty()) GTEST_SKIP() << "this kernel does not tell who is idle";
    ASSERT_TRUE(Eventually([&] {
      return absl::StartsWith(ReadFile(call),
                              absl::StrCat(SYS_rt_sigtimedwait, " "));
    }));
  }
  const double pss = MemoryOf(supervisors, "Pss");
  const double dirty = MemoryOf(supervisors, "Private_Dirty");
  printf("each of %zu supervisors: PSS %.0f KiB, private dirty %.0f KiB\n",
         supervisors.size(), pss, dirty);
  RecordProperty("pss_kib", static_cast<int>(pss));
#ifdef __OPTIMIZE__
  constexpr double kMost = 358;
#else
  // The program itself is twice as large, and what its libraries write into
  // depends on the compiler.
  constexpr double kMost = 1024;
#endif
  EXPECT_LE(dirty, kMost);
  EXPECT_LE(pss, kMost);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_processes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/process_identity.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

LaunchRecord RecordOf(pid_t pid, const std::string& token) {
  LaunchRecord launch;
  launch.token = token;
  launch.supervisor = IdentityOf(pid).value();
  launch.task = launch.supervisor;
  return launch;
}

// Returns a token that no other test on this machine has.
std::string Token(const std::string& prefix) {
  return prefix + "-" + BootId() + "-" + std::to_string(getpid());
}

// Starts a shell with the token, and waits for the first line of its output.
pid_t StartShell(const std::string& token, const std::string& script) {
  int out[2];
  EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
  const std::string variable = std::string(kTokenVariable) + "=" + token;
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(out[1], 1);
    char* const envp[] = {const_cast<char*>("PATH=/usr/bin:/bin"),
                          const_cast<char*>(variable.c_str()), nullptr};
    char* const argv[] = {const_cast<char*>("sh"), const_cast<char*>("-c"),
                          const_cast<char*>(script.c_str()), nullptr};
    execve("/bin/sh", argv, envp);
    _exit(127);
  }
  close(out[1]);
  char c = 0;
  while (read(out[0], &c, 1) == 1 && c != '\n') {
  }
  close(out[0]);
  return pid;
}

// Ends a container that has no cgroups.
absl::Status KillSurvivors(const LaunchRecord& launch) {
  ContainerRecords records;
  records.launch = launch;
  return EndContainer(records);
}

TEST(ContainerProcessesTest, AProcessOfAnotherBootHasEnded) {
  LaunchRecord launch = RecordOf(getpid(), "x");
  absl::StatusOr<UniqueFd> found = FindProcess(launch.supervisor);
  ASSERT_THAT(found, IsOk());
  EXPECT_TRUE(found->valid());
  launch.supervisor.boot_id = "another";
  found = FindProcess(launch.supervisor);
  ASSERT_THAT(found, IsOk());
  EXPECT_FALSE(found->valid());
}

TEST(ContainerProcessesTest, WithoutDescriptorsNothingCountsAsEnded) {
  const LaunchRecord launch = RecordOf(getpid(), "x");
  for (const rlim_t left : {rlim_t{0}, rlim_t{1}}) {
    // The limit ends with the child.
    const pid_t child = fork();
    if (child == 0) {
      const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
      close(next);
      const rlim_t most = static_cast<rlim_t>(next) + left;
      const rlimit limit = {most, most};
      setrlimit(RLIMIT_NOFILE, &limit);
      const absl::StatusCode exhausted = absl::StatusCode::kResourceExhausted;
      // One descriptor is enough to look at one process after another.
      const bool right =
          FindProcess(launch.supervisor).status().code() == exhausted &&
          (left == 1 || (Survivors(launch).status().code() == exhausted &&
                         KillSurvivors(launch).code() == exhausted));
      _exit(right ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << left << " left";
  }
}

TEST(ContainerProcessesTest, SurvivorsAreFoundByTheTokenAndKilled) {
  const pid_t mine = StartShell(
      Token("a"), "setsid sleep 1000 >&- & echo; trap '' TERM; sleep 1000 >&-");
  const pid_t other = StartShell(Token("a") + "b", "echo; exec sleep 1000 >&-");
  LaunchRecord launch = RecordOf(mine, Token("a"));
  EXPECT_GE(Survivors(launch)->size(), 2u);
  EXPECT_THAT(KillSurvivors(launch), IsOk());
  EXPECT_THAT(Survivors(launch), IsOkAndHolds(IsEmpty()));
  int status = 0;
  EXPECT_EQ(waitpid(mine, &status, 0), mine);
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  EXPECT_EQ(Survivors(RecordOf(other, Token("a") + "b"))->size(), 1u);
  kill(other, SIGKILL);
  EXPECT_EQ(waitpid(other, &status, 0), other);
}

TEST(ContainerProcessesTest, ATaskWithoutTheTokenIsFoundByItsIdentity) {
  const pid_t task = StartShell(
      Token("d"),
      "exec env -i /bin/sh -c 'sleep 1000 >&- & echo; exec sleep 1000 >&-'");
  const LaunchRecord launch = RecordOf(task, Token("d"));
  LaunchRecord another = launch;
  another.task.start_ticks += 1;
  EXPECT_THAT(Survivors(another), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(Survivors(launch)->size(), 2u);
  EXPECT_THAT(KillSurvivors(launch), IsOk());
  EXPECT_THAT(Survivors(launch), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(ReadProcStat(task)->state, 'Z');
  kill(task, SIGKILL);
  waitpid(task, nullptr, 0);
}

TEST(ContainerProcessesTest, WhoIsNotFoundOnceIsLookedForAgain) {
  const pid_t child = StartShell(Token("e"), "echo; exec sleep 1000 >&-");
  int looks = 0;
  // At the first look the process is in the midst of an exec.
  auto find = [&]() -> absl::StatusOr<std::vector<ProcStat>> {
    ++looks;
    const std::optional<ProcStat> stat = ReadProcStat(child);
    if (looks == 1 || stat->state == 'Z') return std::vector<ProcStat>();
    return std::vector<ProcStat>{*stat};
  };
  EXPECT_THAT(KillWhatIsFound(find), IsOkAndHolds(true));
  EXPECT_EQ(ReadProcStat(child)->state, 'Z');
  EXPECT_THAT(KillWhatIsFound(find), IsOkAndHolds(false));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST(ContainerProcessesTest, OfAnotherBootNothingSurvives) {
  const pid_t pid = StartShell(Token("c"), "echo; exec sleep 1000 >&-");
  LaunchRecord launch = RecordOf(pid, Token("c"));
  launch.task.boot_id = "another";
  EXPECT_THAT(Survivors(launch), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(KillSurvivors(launch), IsOk());
  EXPECT_NE(ReadProcStat(pid)->state, 'Z');
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
}

TEST(ContainerProcessesTest, WhatCannotBeSeenFromHereHasNotEnded) {
  LaunchRecord launch = RecordOf(getpid(), "x");
  launch.supervisor.pid_namespace = launch.task.pid_namespace = 1;
  const auto unseen = StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("another PID namespace"));
  EXPECT_THAT(FindProcess(launch.supervisor), unseen);
  EXPECT_THAT(Survivors(launch), unseen);
  EXPECT_THAT(KillSurvivors(launch), unseen);
  ContainerRecords records;
  records.launch = launch;
  EXPECT_THAT(EndContainer(records), unseen);
}

TEST(ContainerProcessesTest, TheSignalCarriesTheGrace) {
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  sigset_t before;
  ASSERT_EQ(pthread_sigmask(SIG_BLOCK, &term, &before), 0);
  const UniqueFd self = OpenPidfd(getpid());
  TellToTerminate(self, absl::Milliseconds(1500));
  siginfo_t info = {};
  timespec patience = {60, 0};
  ASSERT_EQ(sigtimedwait(&term, &info, &patience), SIGTERM);
  EXPECT_EQ(info.si_code, SI_QUEUE);
  EXPECT_EQ(info.si_value.sival_int, 1500);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

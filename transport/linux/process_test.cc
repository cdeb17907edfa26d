// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/descriptor_limit.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

ProcessFiles NullFiles() {
  ProcessFiles files;
  for (UniqueFd* fd : {&files.stdin_fd, &files.stdout_fd, &files.stderr_fd}) {
    fd->Reset(open("/dev/null", O_RDWR | O_CLOEXEC));
  }
  return files;
}

int SpawnShell(const char* script, ProcessFiles files, Process* process) {
  const char* const argv[] = {"sh", "-c", script, nullptr};
  char* const envp[] = {nullptr};
  return Spawn("/bin/sh", const_cast<char* const*>(argv), envp,
               std::move(files), process);
}

void AwaitEnd(const Process& process) {
  ASSERT_TRUE(AwaitEnd(process.pidfd.get(), Deadline(absl::Seconds(30))));
}

TEST(ProcessTest, ItsEndIsSeenAndItIsReapedOnce) {
  Process process;
  ASSERT_EQ(SpawnShell("read x; exit 5", NullFiles(), &process), 0);
  AwaitEnd(process);
  EXPECT_TRUE(HasEnded(process.pidfd.get()));
  std::optional<int> status;
  EXPECT_EQ(Reap(process.pidfd.get(), &status), ProcessState::kEnded);
  EXPECT_EQ(status, 5 << 8);
  status.reset();
  EXPECT_EQ(Reap(process.pidfd.get(), &status), ProcessState::kReaped);
  EXPECT_EQ(status, std::nullopt);
}

TEST(ProcessTest, ItLeadsASessionUntilItIsKilled) {
  Process process;
  ASSERT_EQ(SpawnShell("while :; do sleep 1000; done", NullFiles(), &process),
            0);
  EXPECT_EQ(getsid(process.pid), process.pid);
  std::optional<int> status;
  EXPECT_EQ(Reap(process.pidfd.get(), &status), ProcessState::kRunning);
  EXPECT_FALSE(HasEnded(process.pidfd.get()));
  kill(-process.pid, SIGKILL);
  AwaitEnd(process);
  EXPECT_EQ(Reap(process.pidfd.get(), &status), ProcessState::kEnded);
  EXPECT_EQ(status, SIGKILL);
}

TEST(ProcessTest, WhatCannotBeExecutedIsAnErrno) {
  Process process;
  char* const none[] = {nullptr};
  EXPECT_EQ(Spawn("/no/such/program", none, none, NullFiles(), &process),
            ENOENT);
  EXPECT_EQ(Spawn("/etc/passwd", none, none, NullFiles(), &process), EACCES);
}

TEST(ProcessTest, DescriptorsArriveAlsoIfOursAreMissing) {
  // A pipe that is made now is made of numbers that are to be written over.
  const int saved[] = {fcntl(0, F_DUPFD_CLOEXEC, 10),
                       fcntl(1, F_DUPFD_CLOEXEC, 10)};
  close(0);
  close(1);
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  ASSERT_EQ(fds[0], 0);
  ASSERT_EQ(fds[1], 1);
  ProcessFiles files;
  UniqueFd reader(fcntl(fds[0], F_DUPFD_CLOEXEC, 10));
  files.stdin_fd.Reset(fcntl(fds[0], F_DUPFD_CLOEXEC, 10));
  files.stdout_fd.Reset(open("/dev/null", O_RDWR | O_CLOEXEC));
  files.stderr_fd.Reset(fds[1]);
  close(fds[0]);
  Process process;
  const int error = SpawnShell("echo oops >&2", std::move(files), &process);
  process.pidfd.Reset(fcntl(process.pidfd.get(), F_DUPFD_CLOEXEC, 10));
  for (int fd : {0, 1}) {
    dup2(saved[fd], fd);
    close(saved[fd]);
  }
  ASSERT_EQ(error, 0);
  AwaitEnd(process);
  std::optional<int> status;
  EXPECT_EQ(Reap(process.pidfd.get(), &status), ProcessState::kEnded);
  char text[16];
  ASSERT_EQ(read(reader.get(), text, sizeof(text)), 5);
  EXPECT_EQ(std::string(text, 5), "oops\n");
}

TEST(ProcessTest, ItHasNoSignalBlockedIgnoredOrHandled) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  signal(SIGUSR1, SIG_IGN);
  int fds[2];
  ASSERT_EQ(pipe2(fds, O_CLOEXEC), 0);
  const UniqueFd reader(fds[0]);
  ProcessFiles files = NullFiles();
  files.stdout_fd.Reset(fds[1]);
  files.directory.Reset(open("/proc", O_RDONLY | O_CLOEXEC));
  Process process;
  const char* const argv[] = {"grep", "-E", "Sig(Blk|Ign|Cgt)", "self/status",
                              nullptr};
  char* const envp[] = {nullptr};
  const int error = Spawn("/bin/grep", const_cast<char* const*>(argv), envp,
                          std::move(files), &process);
  signal(SIGUSR1, SIG_DFL);
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, &before, &after);
  EXPECT_EQ(sigismember(&after, SIGTERM), 1);
  EXPECT_EQ(sigismember(&after, SIGINT), 0);
  ASSERT_EQ(error, 0);
  AwaitEnd(process);
  char text[256] = {};
  ASSERT_GT(read(reader.get(), text, sizeof(text) - 1), 0);
  // Signals 32 and 33 are glibc's own. (grep handles one.)
  EXPECT_THAT(text, AllOf(HasSubstr("SigBlk:\t0000000000000000\n"),
                          ContainsRegex("SigIgn:\t0000000[01][08]0000000\n")));
}

// Returns the limits that a started shell prints.
std::string LimitsSeen() {
  Process process;
  ProcessFiles files = NullFiles();
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return "";
  const UniqueFd reader(fds[0]);
  files.stdout_fd.Reset(fds[1]);
  SpawnShell("echo $(ulimit -Sn) $(ulimit -Hn)", std::move(files), &process);
  char seen[64] = {};
  const ssize_t size = read(reader.get(), seen, sizeof(seen));
  return std::string(seen, static_cast<size_t>(std::max<ssize_t>(0, size)));
}

// In a process of its own: the limit stays raised.
[[noreturn]] void RaiseAndSpawn() {
  const rlimit few = {100, 200};
  rlimit now = {};
  bool good = setrlimit(RLIMIT_NOFILE, &few) == 0;
  RaiseDescriptorLimit();
  good = good && getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 200;
  good = good && LimitsSeen() == "100 200\n";
  _exit(good ? 0 : 1);
}

TEST(ProcessDeathTest, ItHasTheLimitOfDescriptorsThatWeWereGiven) {
  EXPECT_EXIT(RaiseAndSpawn(), ::testing::ExitedWithCode(0), "");
}

TEST(ProcessTest, IgnoredChildrenVanishAndThatIsKnown) {
  EXPECT_FALSE(ChildrenVanish());
  signal(SIGCHLD, SIG_IGN);
  EXPECT_TRUE(ChildrenVanish());
  Process process;
  ASSERT_EQ(SpawnShell("read x", NullFiles(), &process), 0);
  if (process.pidfd.valid()) {
    AwaitEnd(process);
    std::optional<int> status;
    EXPECT_EQ(Reap(process.pidfd.get(), &status), ProcessState::kReaped);
  }
  signal(SIGCHLD, SIG_DFL);
  EXPECT_FALSE(ChildrenVanish());
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

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
  return Spawner().Spawn("/bin/sh", const_cast<char* const*>(argv), envp,
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
  EXPECT_EQ(
      Spawner().Spawn("/no/such/program", none, none, NullFiles(), &process),
      ENOENT);
  EXPECT_EQ(Spawner().Spawn("/etc/passwd", none, none, NullFiles(), &process),
            EACCES);
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

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/process_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/process_identity.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Not;

// Runs "sh -c script" with a pipe from its stdout.
class Shell {
 public:
  explicit Shell(const std::string& script,
                 const std::string& variable = "NONE=1") {
    int out[2];
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    std::string arguments[] = {"sh", "-c", script};
    char* argv[] = {arguments[0].data(), arguments[1].data(),
                    arguments[2].data(), nullptr};
    std::string path = "PATH=/usr/bin:/bin";
    std::string copy = variable;
    char* envp[] = {path.data(), copy.data(), nullptr};
    EXPECT_EQ(posix_spawn(&pid_, "/bin/sh", &actions, nullptr, argv, envp), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    output_.Reset(out[0]);
  }

  ~Shell() {
    if (pid_ > 0) Reap();
  }

  pid_t pid() const { return pid_; }

  std::string ReadLine() {
    std::string line;
    char c = 0;
    while (read(output_.get(), &c, 1) == 1 && c != '\n') line += c;
    return line;
  }

  void Reap() {
    for (const ProcStat& stat : Descendants(pid_)) {
      SignalProcess(stat, SIGKILL);
    }
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
  UniqueFd output_;
};

// A directory that looks like /proc.
class FakeProc {
 public:
  FakeProc() {
    path_ = ::testing::TempDir() + "/proc_XXXXXX";
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
  }

  const std::string& path() const { return path_; }

  static std::string StatLine(pid_t pid, pid_t parent, uint64_t start) {
    return absl::StrCat(pid, " (x) S ", parent,
                        " 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ", start, " 0 0");
  }

  // Adds a process without an environment.
  void Add(pid_t pid, pid_t parent, uint64_t start,
           const std::string& children = "") {
    const std::string process = absl::StrCat(path_, "/", pid);
    const std::string thread = absl::StrCat(process, "/task/", pid);
    for (const std::string& made : {process, process + "/task", thread}) {
      ASSERT_EQ(mkdir(made.c_str(), 0755), 0);
    }
    std::ofstream(process + "/stat") << StatLine(pid, parent, start);
    std::ofstream(thread + "/children") << children;
  }

  // Replaces a file: a reader gets `text` after `meanwhile` has been called.
  std::thread When(const std::string& file, const std::string& text,
                   std::function<void()> meanwhile) {
    const std::string full = path_ + "/" + file;
    unlink(full.c_str());
    EXPECT_EQ(mkfifo(full.c_str(), 0600), 0);
    return std::thread([full, text, meanwhile = std::move(meanwhile)] {
      const UniqueFd fifo(open(full.c_str(), O_WRONLY | O_CLOEXEC));
      // A second reader does not wait.
      unlink(full.c_str());
      std::ofstream(full) << text;
      meanwhile();
      EXPECT_EQ(write(fifo.get(), text.data(), text.size()),
                static_cast<ssize_t>(text.size()));
    });
  }

 private:
  std::string path_;
};

auto HasId(pid_t pid, uint64_t start) {
  return AllOf(Field(&ProcStat::pid, pid),
               Field(&ProcStat::start_ticks, start));
}

TEST(ProcessTreeTest, APidThatIsReusedBetweenTwoReadsIsNotTheSuccessors) {
  FakeProc proc;
  proc.Add(42, 1, 100);
  std::thread writer =
      proc.When("42/environ", std::string("MARK=abc\0", 9), [&proc] {
        const std::string reaped = proc.path() + "/reaped";
        ASSERT_EQ(rename((proc.path() + "/42").c_str(), reaped.c_str()), 0);
        proc.Add(42, 1, 999);
      });
  const auto found = ProcessesWith("MARK=abc", ProcessIdentity(), proc.path());
  writer.join();
  ASSERT_TRUE(found.has_value());
  EXPECT_THAT(*found, ElementsAre(HasId(42, 100)));
}

TEST(ProcessTreeTest, AStrangerWithTheListedPidIsNoChild) {
  FakeProc proc;
  proc.Add(42, 1, 100, "43 44 ");
  proc.Add(43, 1, 200, "45 ");
  proc.Add(44, 42, 200);
  proc.Add(45, 43, 300);
  EXPECT_THAT(Descendants(42, proc.path()), ElementsAre(HasId(44, 200)));
}

TEST(ProcessTreeTest, AChildOfWhoeverHasItsParentsPidByNowIsNone) {
  FakeProc proc;
  proc.Add(42, 1, 100, "43 ");
  proc.Add(43, 42, 200);
  std::thread writer =
      proc.When("43/stat", FakeProc::StatLine(43, 42, 999), [&proc] {
        const std::string reaped = proc.path() + "/42/stat";
        ASSERT_EQ(unlink(reaped.c_str()), 0);
      });
  EXPECT_THAT(Descendants(42, proc.path()), IsEmpty());
  writer.join();
}

// The other tests rely on this.
TEST(ProcessTreeTest, NothingIsReadOfASuccessorThroughAnOpenDirectory) {
  Shell shell("echo ready; exec sleep 1000");
  EXPECT_EQ(shell.ReadLine(), "ready");
  const std::string path = absl::StrCat("/proc/", shell.pid());
  const UniqueFd directory(
      open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  ASSERT_TRUE(directory.valid());
  pid_t pid = shell.pid();
  shell.Reap();
  clone_args arguments = {};
  arguments.exit_signal = SIGCHLD;
  arguments.set_tid = reinterpret_cast<uint64_t>(&pid);
  arguments.set_tid_size = 1;
  const long successor = syscall(SYS_clone3, &arguments, sizeof(arguments));
  if (successor == 0) {
    while (true) pause();
  }
  if (successor < 0)
    GTEST_SKIP() << "may not choose a pid: " << strerror(errno);
  EXPECT_EQ(successor, pid);
  EXPECT_TRUE(ReadProcStat(pid).has_value());
  EXPECT_LT(openat(directory.get(), "stat", O_RDONLY | O_CLOEXEC), 0);
  kill(pid, SIGKILL);
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
}

TEST(ProcessTreeTest, AReapedProcessIsSentNothing) {
  Shell shell("echo ready; exec sleep 1000");
  const std::optional<ProcStat> stat = ReadProcStat(shell.pid());
  ASSERT_TRUE(stat.has_value());
  ProcStat other = *stat;
  --other.start_ticks;
  EXPECT_FALSE(SignalProcess(other, SIGKILL));
  EXPECT_TRUE(SignalProcess(*stat, SIGKILL));
  shell.Reap();
  EXPECT_FALSE(SignalProcess(*stat, 0));
}

TEST(ProcessTreeTest, DescendantsAreTheWholeTreeParentsFirst) {
  Shell shell("sh -c 'sleep 1000 & echo $! $$; wait' & wait");
  pid_t grandchild = 0, child = 0;
  ASSERT_EQ(sscanf(shell.ReadLine().c_str(), "%d %d", &grandchild, &child), 2);
  std::vector<pid_t> pids;
  for (const ProcStat& stat : Descendants(shell.pid())) {
    pids.push_back(stat.pid);
  }
  EXPECT_THAT(pids, ElementsAre(child, grandchild));
  shell.Reap();
}

TEST(ProcessTreeTest, AnEnvironmentVariableFindsItsProcessesAndNoOthers) {
  Shell marked("echo ready; sleep 1000 & wait", "MARK=abc");
  Shell longer("echo ready; exec sleep 1000", "MARK=abcd");
  Shell prefixed("echo ready; exec sleep 1000", "XMARK=abc");
  EXPECT_EQ(marked.ReadLine(), "ready");
  EXPECT_EQ(longer.ReadLine(), "ready");
  EXPECT_EQ(prefixed.ReadLine(), "ready");
  const std::vector<ProcStat> found =
      ProcessesWith(std::string("MARK=abc\0", 9)).value();
  auto has_pid = [](pid_t pid) { return Field(&ProcStat::pid, pid); };
  EXPECT_THAT(found, Contains(has_pid(marked.pid())));
  EXPECT_THAT(found, Not(Contains(has_pid(longer.pid()))));
  EXPECT_THAT(found, Not(Contains(has_pid(prefixed.pid()))));
  EXPECT_THAT(ProcessesWith("MARK=nobody").value(), IsEmpty());
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// `posix serve` as a process, and the transport that starts it.
//
//   TEST_F(ServeTest, AHelperAnswers) {
//     Connect();
//     ...
//   }

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_SERVE_TESTING_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_SERVE_TESTING_H_

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/unix_socket/helper.h"
#include "external_containerizer/transport/unix_socket/unix_socket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {

inline constexpr absl::Duration kPatience = absl::Seconds(60);

// The readable part of a file. A file of /proc may fail in the middle, when its
// process ends.
inline std::string Contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

inline bool IsAlive(pid_t pid) {
  const std::optional<ProcStat> stat = ReadProcStat(pid);
  return stat.has_value() && stat->state != 'Z';
}

class ServeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = ::testing::TempDir() + "/v.XXXXXX";
    ASSERT_NE(mkdtemp(root_.data()), nullptr);
    char real[PATH_MAX];
    ASSERT_NE(realpath(root_.c_str(), real), nullptr);
    root_ = real;
    ASSERT_EQ(mkdir((root_ + "/work").c_str(), 0700), 0);
    ASSERT_EQ(mkdir((root_ + "/sandbox").c_str(), 0700), 0);
    work_ = root_ + "/work";
    options_.program = TestDataPath("containerizer/posix/posix");
    options_.work_directory = work_;
    options_.probe_interval = absl::Milliseconds(100);
    options_.probe_timeout = absl::Milliseconds(400);
  }

  void TearDown() override {
    transport_.reset();
    // This ends the helpers, too, because their sockets are gone.
    ASSERT_EQ(system(absl::StrCat("rm -rf '", root_, "'").c_str()), 0);
    for (const pid_t pid : started_) {
      kill(pid, SIGKILL);
      waitpid(pid, nullptr, 0);
    }
  }

  void Connect() {
    transport_.reset();
    auto transport = UnixSocketTransport(options_)(*loop_);
    ASSERT_THAT(transport, IsOk());
    transport_ = *std::move(transport);
  }

  void RunUntil(const std::function<bool()>& condition) {
    const absl::Time end = absl::Now() + kPatience;
    std::function<void()> look = [&] {
      if (condition() || absl::Now() > end) {
        loop_->Stop();
      } else {
        loop_->RunAfter(absl::Milliseconds(1), look);
      }
    };
    look();
    loop_->Run();
    ASSERT_TRUE(condition()) << "it did not come about in time";
  }

  using Pending = std::shared_ptr<std::optional<Answer>>;

  Invocation Make(Command command, std::string input = "") {
    Invocation invocation;
    invocation.command = command;
    invocation.input = std::move(input);
    invocation.environment["MESOS_WORK_DIRECTORY"] = work_;
    if (command != Command::kContainers && command != Command::kRecover) {
      invocation.sandbox = Sandbox{root_, "sandbox", std::nullopt};
    }
    return invocation;
  }

  Pending Invoke(Invocation invocation) {
    auto answer = std::make_shared<std::optional<Answer>>();
    transport_->Invoke(std::move(invocation), [answer](Answer given) {
      EXPECT_FALSE(answer->has_value()) << "called twice";
      *answer = std::move(given);
    });
    return answer;
  }

  Answer Await(const Pending& pending) {
    RunUntil([&pending] { return pending->has_value(); });
    return pending->value_or(Answer());
  }

  Answer Run(Command command) { return Await(Invoke(Make(command))); }

  // Commands for container "c".
  Invocation Launch(const std::string& command) {
    wire::Launch launch;
    launch.mutable_container_id()->set_value("c");
    launch.mutable_executor_info()->mutable_executor_id()->set_value("e");
    launch.mutable_executor_info()->mutable_framework_id()->set_value("f");
    launch.mutable_executor_info()->mutable_command()->set_value(command);
    launch.set_directory(root_ + "/sandbox");
    return Make(Command::kLaunch, launch.SerializePartialAsString());
  }
  template <typename Message>
  Invocation About(Command command) {
    Message message;
    message.mutable_container_id()->set_value("c");
    return Make(command, message.SerializeAsString());
  }
  Invocation Wait() { return About<wire::Wait>(Command::kWait); }
  Invocation Destroy() { return About<wire::Destroy>(Command::kDestroy); }

  // The process that serves at `socket`; 0 if none does.
  pid_t HelperAt(const std::string& socket) {
    const auto client = ttrpc::Client::Connect(*loop_, socket);
    if (!client.ok()) return 0;
    helper::v1::HelloRequest request;
    request.set_oldest_version(1);
    request.set_newest_version(1);
    std::optional<pid_t> pid;
    ttrpc::Call(
        **client, helper::kHello, request, {kPatience, {}},
        [&pid](ttrpc::CallResult<helper::v1::HelloReply> result) {
          pid = result.reply.ok() ? static_cast<pid_t>(result.reply->pid()) : 0;
        });
    RunUntil([&pid] { return pid.has_value(); });
    return pid.value_or(0);
  }

  // The transport's own socket; empty if it has none.
  std::string Socket() {
    std::string found;
    FILE* list = popen(absl::StrCat("ls '", work_, "'").c_str(), "r");
    char line[300];
    while (fgets(line, sizeof(line), list) != nullptr) {
      if (absl::EndsWith(line, ".sock\n")) {
        found = absl::StrCat(work_, "/", line);
        found.pop_back();
      }
    }
    pclose(list);
    return found;
  }

  pid_t Helper() { return HelperAt(Socket()); }

  // The number of processes that were told to serve in this work directory.
  int Serving() {
    int count = 0;
    DIR* processes = opendir("/proc");
    while (const dirent* entry = readdir(processes)) {
      const std::string command =
          Contents(absl::StrCat("/proc/", entry->d_name, "/cmdline"));
      if (absl::StrContains(command, "--socket=" + work_)) ++count;
    }
    closedir(processes);
    return count;
  }

  void AwaitEnd(pid_t pid) {
    RunUntil([pid] { return !IsAlive(pid); });
  }

  // A helper that an operator starts.
  pid_t Spawn(const std::vector<std::string>& arguments,
              const std::vector<std::string>& environment = {"PATH=/bin"}) {
    std::vector<char*> argv = {const_cast<char*>(options_.program.c_str())};
    for (const std::string& argument : arguments) {
      argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    std::vector<char*> envp;
    for (const std::string& variable : environment) {
      envp.push_back(const_cast<char*>(variable.c_str()));
    }
    envp.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, Errors().c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    pid_t pid = -1;
    EXPECT_EQ(
        posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), envp.data()),
        0);
    posix_spawn_file_actions_destroy(&actions);
    started_.push_back(pid);
    return pid;
  }

  // Spawns a helper at options_.socket, which must be set.
  pid_t SpawnAtSocket(std::vector<std::string> arguments = {},
                      const std::vector<std::string>& environment = {
                          "PATH=/bin"}) {
    arguments.insert(arguments.begin(),
                     {"serve", "--socket=" + options_.socket});
    const pid_t pid = Spawn(arguments, environment);
    RunUntil([this, pid] { return HelperAt(options_.socket) == pid; });
    return pid;
  }

  int ExitCode(pid_t pid) {
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    for (pid_t& started : started_) {
      if (started == pid) started = started_.back();
    }
    started_.pop_back();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::string Errors() const { return root_ + "/errors"; }

  std::string root_;
  std::string work_;
  UnixSocketOptions options_;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::unique_ptr<Transport> transport_;
  std::vector<pid_t> started_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_SERVE_TESTING_H_

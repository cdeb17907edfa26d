// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/agent_testing.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/linux/clock.h"
#include "gtest/gtest.h"

namespace external_containerizer {

AgentProcess::AgentProcess(const std::vector<std::string>& arguments,
                           const Variables& variables) {
  int out[2], err[2];
  EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(err, O_CLOEXEC), 0);
  out_fd_ = UniqueFd(out[0]);
  err_fd_ = UniqueFd(err[0]);
  Spawn(arguments, variables, out[1], err[1]);
  close(out[1]);
  close(err[1]);
}

AgentProcess::AgentProcess(const std::vector<std::string>& arguments,
                           const Variables& variables, const UniqueFd& out) {
  int err[2];
  EXPECT_EQ(pipe2(err, O_CLOEXEC), 0);
  err_fd_ = UniqueFd(err[0]);
  Spawn(arguments, variables, out.get(), err[1]);
  close(err[1]);
}

AgentProcess::AgentProcess(const std::vector<std::string>& arguments,
                           const Variables& variables, unsigned short columns) {
  struct winsize size = {};
  size.ws_col = columns;
  int master, terminal;
  EXPECT_EQ(openpty(&master, &terminal, nullptr, nullptr, &size), 0);
  EXPECT_EQ(fcntl(master, F_SETFD, FD_CLOEXEC), 0);
  out_fd_ = UniqueFd(master);
  Spawn(arguments, variables, terminal, terminal);
  close(terminal);
}

AgentProcess::AgentProcess(AgentProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      out_fd_(std::move(other.out_fd_)),
      err_fd_(std::move(other.err_fd_)),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)) {}

AgentProcess& AgentProcess::operator=(AgentProcess&& other) noexcept {
  AgentProcess moved(std::move(other));
  std::swap(pid_, moved.pid_);
  std::swap(out_fd_, moved.out_fd_);
  std::swap(err_fd_, moved.err_fd_);
  std::swap(out_, moved.out_);
  std::swap(err_, moved.err_);
  return *this;
}

AgentProcess::~AgentProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
}

void AgentProcess::Signal(int number) { ASSERT_EQ(kill(pid_, number), 0); }

void AgentProcess::CloseOut() { const UniqueFd closed = std::move(out_fd_); }

void AgentProcess::Expect(const std::string& where_is,
                          const std::string& text) {
  const std::string& where = where_is == "out" ? out_ : err_;
  const Deadline deadline(kPatience);
  while (where.find(text) == std::string::npos) {
    if (!ReadSome() || deadline.Expired()) {
      FAIL() << "no \"" << text << "\" in " << where_is << "; out: " << out_
             << "; err: " << err_;
    }
  }
}

int AgentProcess::Wait() {
  const Deadline deadline(kPatience);
  while (ReadSome()) {
    if (deadline.Expired()) {
      ADD_FAILURE() << "still running; out: " << out_ << "; err: " << err_;
      kill(pid_, SIGKILL);
      break;
    }
  }
  int status = 0;
  EXPECT_EQ(waitpid(std::exchange(pid_, -1), &status, 0) > 0, true);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void AgentProcess::Spawn(const std::vector<std::string>& arguments,
                         const Variables& variables, int out, int err) {
  std::vector<std::string> all = {TestDataPath("containerizer/agent/agent")};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) {
    environment.push_back(absl::StrCat(name, "=", value));
  }
  const auto pointers = [](std::vector<std::string>& strings) {
    std::vector<char*> result;
    for (std::string& string : strings) result.push_back(string.data());
    result.push_back(nullptr);
    return result;
  };
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out, 1);
  posix_spawn_file_actions_adddup2(&actions, err, 2);
  EXPECT_EQ(posix_spawn(&pid_, all[0].c_str(), &actions, nullptr,
                        pointers(all).data(), pointers(environment).data()),
            0)
      << all[0];
  posix_spawn_file_actions_destroy(&actions);
}

bool AgentProcess::ReadSome() {
  struct pollfd fds[2] = {{out_fd_.get(), POLLIN, 0},
                          {err_fd_.get(), POLLIN, 0}};
  if (fds[0].fd < 0 && fds[1].fd < 0) return false;
  poll(fds, 2, 1000);
  for (int i = 0; i < 2; ++i) {
    if (fds[i].revents == 0) continue;
    char buffer[65536];
    const ssize_t got = read(fds[i].fd, buffer, sizeof(buffer));
    UniqueFd& fd = i == 0 ? out_fd_ : err_fd_;
    if (got > 0) {
      (i == 0 ? out_ : err_).append(buffer, static_cast<size_t>(got));
    } else {
      const UniqueFd closed = std::move(fd);
    }
  }
  return true;
}

}  // namespace external_containerizer

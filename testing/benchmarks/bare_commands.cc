// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/benchmarks/bare_commands.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <thread>  // NOLINT(build/c++11)
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"

namespace external_containerizer {
namespace {

// A Usage record of container "c0".
constexpr char kRequest[] =
    "\x06\0\0\0\x0a\x04\x0a\x02"
    "c0";
constexpr size_t kRequestBytes = sizeof(kRequest) - 1;

struct BareCommand {
  pid_t pid;
  int stdout_fd;
  int stderr_fd;
};

bool Start(const std::string& program, const char* name, BareSession session,
           BareCommand* command) {
  int in[2], out[2], err[2];
  if (pipe2(in, O_CLOEXEC) != 0) return false;
  if (pipe2(out, O_CLOEXEC) != 0) return false;
  if (pipe2(err, O_CLOEXEC) != 0) return false;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  if (session == BareSession::kItsOwn) {
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  }
  char* const argv[] = {const_cast<char*>(program.c_str()),
                        const_cast<char*>(name), nullptr};
  errno = posix_spawn(&command->pid, program.c_str(), &actions, &attributes,
                      argv, environ);
  const bool spawned = errno == 0;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  for (int fd : {in[0], out[1], err[1]}) close(fd);
  const bool written = spawned && write(in[1], kRequest, kRequestBytes) ==
                                      static_cast<ssize_t>(kRequestBytes);
  close(in[1]);
  command->stdout_fd = out[0];
  command->stderr_fd = err[0];
  return written;
}

// The payload of the record; empty without a record.
std::string ReadRecord(int fd) {
  char buffer[4096];
  size_t size = 0;
  uint32_t length = 0;
  for (;;) {
    const ssize_t count = read(fd, buffer + size, sizeof(buffer) - size);
    if (count <= 0) return "";
    size += static_cast<size_t>(count);
    if (size < sizeof(length)) continue;
    memcpy(&length, buffer, sizeof(length));
    if (size >= sizeof(length) + length) {
      return std::string(buffer + sizeof(length), length);
    }
  }
}

bool Finish(const BareCommand& command) {
  const std::string statistics = ReadRecord(command.stdout_fd);
  close(command.stdout_fd);
  close(command.stderr_fd);
  siginfo_t info;
  return waitid(P_PID, static_cast<id_t>(command.pid), &info, WEXITED) == 0 &&
         info.si_code == CLD_EXITED && info.si_status == 0 &&
         !statistics.empty();
}

bool Run(const std::string& program, BareSession session) {
  BareCommand command;
  return Start(program, "usage", session, &command) && Finish(command);
}

}  // namespace

absl::StatusOr<absl::Duration> BareTimePerCall(const std::string& program,
                                               int calls, int at_once,
                                               BareSession session) {
  std::atomic<int> left{calls};
  std::atomic<bool> ok{true};
  const auto run = [&] {
    while (left.fetch_sub(1) > 0) {
      if (!Run(program, session)) ok = false;
    }
  };
  const absl::Time start = absl::Now();
  std::vector<std::thread> others;
  for (int i = 1; i < at_once; ++i) others.emplace_back(run);
  run();
  for (std::thread& other : others) other.join();
  if (!ok) {
    return absl::InternalError("a bare command of the floor failed");
  }
  return (absl::Now() - start) / calls;
}

BareWaits::BareWaits(const std::string& program, int count) {
  for (int i = 0; i < count; ++i) {
    BareCommand command;
    if (!Start(program, "wait", BareSession::kItsOwn, &command)) {
      ok_ = false;
      return;
    }
    close(command.stderr_fd);
    const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, command.pid, 0));
    waits_.push_back({command.pid, command.stdout_fd, pidfd});
  }
}

BareWaits::~BareWaits() {
  for (const Wait& wait : waits_) {
    kill(wait.pid, SIGKILL);
    waitpid(wait.pid, nullptr, 0);
    close(wait.stdout_fd);
    close(wait.pidfd);
  }
}

}  // namespace external_containerizer

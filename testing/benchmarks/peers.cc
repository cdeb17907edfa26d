// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/benchmarks/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace external_containerizer {

absl::StatusOr<std::unique_ptr<PipedProcess>> PipedProcess::Start(
    const std::vector<std::string>& arguments) {
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) {
    return absl::ErrnoToStatus(errno, "no pipe");
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::vector<char*> argv;
  for (const std::string& argument : arguments) {
    argv.push_back(const_cast<char*>(argument.c_str()));
  }
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int error =
      posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(in[0]);
  close(out[1]);
  if (error != 0) {
    close(in[1]);
    close(out[0]);
    return absl::ErrnoToStatus(error, absl::StrCat("cannot run ", argv[0]));
  }
  return std::unique_ptr<PipedProcess>(
      new PipedProcess(pid, fdopen(in[1], "w"), fdopen(out[0], "r")));
}

PipedProcess::~PipedProcess() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  fclose(in_);
  fclose(out_);
}

absl::StatusOr<std::string> PipedProcess::Ask(const std::string& line) {
  if (!line.empty() &&
      (fprintf(in_, "%s\n", line.c_str()) < 0 || fflush(in_) != 0)) {
    return absl::InternalError("a process of the benchmark takes no more");
  }
  char buffer[256];
  if (fgets(buffer, sizeof(buffer), out_) == nullptr) {
    return absl::InternalError(
        "a process of the benchmark has ended; see its words");
  }
  return std::string(absl::StripSuffix(buffer, "\n"));
}

absl::StatusOr<absl::Duration> PipedProcess::CpuTime() const {
  clockid_t clock;
  struct timespec time;
  if (clock_getcpuclockid(pid_, &clock) != 0 ||
      clock_gettime(clock, &time) != 0) {
    return absl::InternalError("a process of the benchmark has no clock");
  }
  return absl::DurationFromTimespec(time);
}

absl::StatusOr<std::unique_ptr<Peers>> Peers::Start(
    const std::vector<std::string>& server,
    const std::vector<std::string>& client) {
  auto peers = std::make_unique<Peers>();
  auto process = PipedProcess::Start(server);
  if (!process.ok()) return process.status();
  peers->server_ = *std::move(process);
  const absl::StatusOr<std::string> line = peers->server_->Ask("");
  if (!line.ok()) return line.status();
  if (*line != "ready") return absl::InternalError("a server is not ready");
  process = PipedProcess::Start(client);
  if (!process.ok()) return process.status();
  peers->client_ = *std::move(process);
  return peers;
}

absl::StatusOr<CallCost> Peers::Run(int callers, int calls) {
  const auto cpu_time = [this]() -> absl::StatusOr<absl::Duration> {
    const auto server = server_->CpuTime();
    const auto client = client_->CpuTime();
    if (!server.ok()) return server;
    if (!client.ok()) return client;
    return *server + *client;
  };
  const absl::StatusOr<absl::Duration> before = cpu_time();
  if (!before.ok()) return before.status();
  const absl::StatusOr<std::string> line =
      client_->Ask(absl::StrCat(callers, " ", calls));
  if (!line.ok()) return line.status();
  const absl::StatusOr<absl::Duration> after = cpu_time();
  if (!after.ok()) return after.status();
  int64_t nanoseconds = 0;
  if (!absl::SimpleAtoi(*line, &nanoseconds) || nanoseconds <= 0) {
    return absl::InternalError(absl::StrCat("a client says: ", *line));
  }
  return CallCost{static_cast<double>(nanoseconds) / 1e9 / calls,
                  absl::ToDoubleSeconds(*after - *before) / calls};
}

}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/benchmarks/usage_worker.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "external_containerizer/testing/benchmarks/usage_agent.h"

namespace external_containerizer {
namespace {

constexpr char kArgument[] = "usage_worker";
constexpr size_t kPageBytes = 4096;

// Requests and replies are one number each.
bool Send(int socket, int64_t number) {
  return send(socket, &number, sizeof(number), MSG_NOSIGNAL) == sizeof(number);
}

bool Receive(int socket, int64_t* number) {
  return recv(socket, number, sizeof(*number), MSG_WAITALL) == sizeof(*number);
}

absl::Status WorkerEnded() {
  return absl::InternalError(
      "a process of the benchmark has ended; see its words");
}

// Huge pages would make it cheap to copy the tables that point to them.
absl::Status Touch(size_t bytes) {
  if (bytes == 0) return absl::OkStatus();
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("cannot have ", bytes, " bytes"));
  }
  madvise(memory, bytes, MADV_NOHUGEPAGE);
  for (size_t i = 0; i < bytes; i += kPageBytes) {
    static_cast<volatile char*>(memory)[i] = 1;
  }
  return absl::OkStatus();
}

int64_t ResidentBytes() {
  int64_t virtual_pages = 0;
  int64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages;
  return resident_pages * sysconf(_SC_PAGESIZE);
}

}  // namespace

absl::StatusOr<std::unique_ptr<UsageWorker>> UsageWorker::Start(
    const std::string& program, const std::string& directory, int containers,
    size_t bytes) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
    return absl::ErrnoToStatus(errno, "no socket");
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, sockets[1], STDIN_FILENO);
  const std::string count = absl::StrCat(containers);
  const std::string size = absl::StrCat(bytes);
  const char* const argv[] = {
      kArgument,     kArgument,    program.c_str(), directory.c_str(),
      count.c_str(), size.c_str(), nullptr};
  pid_t pid;
  const int error = posix_spawn(&pid, "/proc/self/exe", &actions, nullptr,
                                const_cast<char* const*>(argv), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(sockets[1]);
  if (error != 0) {
    close(sockets[0]);
    return absl::ErrnoToStatus(error, "cannot execute this program again");
  }
  std::unique_ptr<UsageWorker> worker(new UsageWorker(pid, sockets[0]));
  int64_t resident;
  if (!Receive(worker->socket_, &resident)) return WorkerEnded();
  worker->resident_bytes_ = static_cast<size_t>(resident);
  return worker;
}

UsageWorker::~UsageWorker() {
  close(socket_);
  waitpid(pid_, nullptr, 0);
}

absl::StatusOr<absl::Duration> UsageWorker::TimePerCall(int calls) {
  int64_t nanoseconds;
  if (!Send(socket_, calls) || !Receive(socket_, &nanoseconds)) {
    return WorkerEnded();
  }
  return absl::Nanoseconds(nanoseconds);
}

bool IsUsageWorker(int argc, char** argv) {
  return argc == 6 && strcmp(argv[1], kArgument) == 0;
}

absl::Status UsageWorkerMain(int, char** argv) {
  const int socket = STDIN_FILENO;
  const absl::Status touched =
      Touch(static_cast<size_t>(strtoull(argv[5], nullptr, 10)));
  if (!touched.ok()) return touched;
  auto agent = UsageAgent::Start(argv[2], argv[3], atoi(argv[4]));
  if (!agent.ok()) return agent.status();
  if (!Send(socket, ResidentBytes())) return absl::OkStatus();
  int64_t calls;
  while (Receive(socket, &calls)) {
    const auto time = (*agent)->TimePerCall(static_cast<int>(calls), 1);
    if (!time.ok()) return time.status();
    if (!Send(socket, absl::ToInt64Nanoseconds(*time))) break;
  }
  return absl::OkStatus();
}

}  // namespace external_containerizer

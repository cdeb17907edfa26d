// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/start_container.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/posix/execute_task.h"
#include "external_containerizer/containerizer/posix/supervisor.h"
#include "external_containerizer/containerizer/program/descriptor_limit.h"
#include "external_containerizer/containerizer/program/exit_code.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

absl::Status StartError(absl::string_view what, int error) {
  const std::string message = absl::StrCat(what, ": ", strerror(error));
  switch (error) {
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOSPC:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::FailedPreconditionError(message);
  }
}

absl::StatusOr<UniqueFd> SpecInMemory(const TaskSpec& spec) {
  if (!IsExecutable(spec)) {
    return absl::InvalidArgumentError(
        "a part of the command or of its environment has a NUL in it");
  }
  const std::string encoded = spec.SerializeAsString();
  UniqueFd fd(memfd_create("task", MFD_CLOEXEC));
  if (!fd.valid()) return StartError("cannot keep the command", errno);
  size_t done = 0;
  while (done < encoded.size()) {
    const ssize_t n =
        write(fd.get(), encoded.data() + done, encoded.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return StartError("cannot keep the command", errno);
    done += static_cast<size_t>(n);
  }
  return fd;
}

// 0, or why not. `fds` go to kContainerFd and up, in this order.
int Spawn(const StartRequest& request, const int (&fds)[6], pid_t* pid) {
  // Out of the way of the numbers that they get.
  UniqueFd high[6];
  for (size_t i = 0; i < 6; ++i) {
    high[i].Reset(fcntl(fds[i], F_DUPFD_CLOEXEC, kEndOfFds));
    if (!high[i].valid()) return errno;
  }
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&actions, 0, 1);
  posix_spawn_file_actions_adddup2(&actions, 0, 2);
  for (int i = 0; i < 6; ++i) {
    posix_spawn_file_actions_adddup2(&actions, high[i].get(), kContainerFd + i);
  }
  // A session of its own from the first moment: an agent that cancels the
  // launch kills the session of the launch.
  posix_spawnattr_setflags(
      &attributes,
      static_cast<short>(POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                         POSIX_SPAWN_SETSIGDEF));
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);

  std::string name = "posix";
  std::string command = kSuperviseArgument;
  std::string id = request.id;
  char* const argv[] = {name.data(), command.data(), id.data(), nullptr};
  char* const envp[] = {nullptr};
  const int error = posix_spawn(pid, request.supervisor.c_str(), &actions,
                                &attributes, argv, envp);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

absl::Status ToStatus(const StartReport& report, const TaskSpec& spec) {
  switch (report.stage) {
    case StartReport::kRunning:
      return absl::OkStatus();
    case StartReport::kPrepare:
      return StartError("the supervisor cannot start", report.error);
    case StartReport::kRecord:
      return StartError("cannot write down that the container runs",
                        report.error);
    case StartReport::kFork:
      return StartError("cannot make a process for the task", report.error);
    case StartReport::kEnter:
      return StartError("the task cannot enter its sandbox", report.error);
    case StartReport::kCgroup:
      return StartError("the task cannot join its cgroups", report.error);
    case StartReport::kLimit:
      return StartError(
          "the task cannot be given its resource limits (--rlimit)",
          report.error);
    case StartReport::kUser:
      if (!spec.has_user()) {
        return StartError("the task cannot give up new privileges",
                          report.error);
      }
      return StartError(
          absl::StrCat("the task cannot become the user ", spec.user().name(),
                       " (uid ", spec.user().uid(), ", gid ", spec.user().gid(),
                       ")"),
          report.error);
    default:
      break;
  }
  std::string what =
      absl::StrCat("cannot execute the command \"", spec.executable(), "\"");
  if (spec.executable().find('/') == std::string::npos) {
    absl::StrAppend(&what, ", looked up in the task's PATH");
  }
  absl::Status status = StartError(what, report.error);
  if (absl::IsFailedPrecondition(status)) {
    const bool is_missing = report.error == ENOENT || report.error == ENOTDIR;
    SetExitCode(is_missing ? kCommandNotFound : kCommandNotExecutable, status);
  }
  return status;
}

}  // namespace

absl::Status StartContainer(const StartRequest& request) {
  TaskSpec task = request.spec;
  if (const auto limit = DescriptorLimitToPassOn()) {
    // First: what the operator wants comes after it.
    ResourceLimit first;
    first.set_resource(RLIMIT_NOFILE);
    first.set_soft(limit->rlim_cur);
    first.set_hard(limit->rlim_max);
    task.clear_limits();
    *task.add_limits() = std::move(first);
    task.mutable_limits()->MergeFrom(request.spec.limits());
  }
  absl::StatusOr<UniqueFd> spec = SpecInMemory(task);
  if (!spec.ok()) return spec.status();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return StartError("cannot make a pipe to the supervisor", errno);
  }
  const UniqueFd from_supervisor(ends[0]);
  UniqueFd report_end(ends[1]);
  pid_t pid = 0;
  const int error = Spawn(request,
                          {request.container, report_end.get(), spec->get(),
                           request.sandbox, request.output, request.errors},
                          &pid);
  if (error != 0) {
    return StartError(
        absl::StrCat("cannot start the supervisor ", request.supervisor),
        error);
  }
  report_end.Reset();
  // It leaves the work to a child and ends at once.
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  StartReport report;
  ssize_t n;
  do {
    n = read(from_supervisor.get(), &report, sizeof(report));
  } while (n < 0 && errno == EINTR);
  // The end of the file: the supervisor has let go of all that is launch's.
  char byte;
  while (n == static_cast<ssize_t>(sizeof(report)) &&
         read(from_supervisor.get(), &byte, 1) < 0 && errno == EINTR) {
  }
  if (n != static_cast<ssize_t>(sizeof(report))) {
    return absl::InternalError(
        "the supervisor died before it could say whether the task runs");
  }
  return ToStatus(report, request.spec);
}

}  // namespace posix_internal
}  // namespace external_containerizer

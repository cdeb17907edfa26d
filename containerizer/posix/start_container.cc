// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/start_container.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/posix/small_files.h"
#include "external_containerizer/containerizer/posix/supervisor.h"
#include "external_containerizer/containerizer/program/exit_code.h"
#include "external_containerizer/transport/linux/process.h"
#include "external_containerizer/transport/record_io.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

// Sends all bytes, unless the supervisor has closed its end; then it has
// reported why.
void Send(int socket, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
}

absl::Status ToStatus(const StartReport& report) {
  if (!report.has_failure()) return absl::OkStatus();
  const int error = report.error();
  absl::Status status = ErrnoStatus(report.failure(), error);
  if (report.is_command() && absl::IsFailedPrecondition(status)) {
    const bool is_missing = error == ENOENT || error == ENOTDIR;
    SetExitCode(is_missing ? kCommandNotFound : kCommandNotExecutable, status);
  }
  return status;
}

}  // namespace

absl::Status StartContainer(StartRequest request) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return ErrnoStatus("cannot make a socket to the supervisor", errno);
  }
  const UniqueFd supervisor(ends[0]);
  ProcessFiles files;
  files.stdin_fd = UniqueFd(ends[1]);
  files.stdout_fd = std::move(request.output);
  files.stderr_fd = std::move(request.errors);
  files.extra = UniqueFd(fcntl(request.container, F_DUPFD_CLOEXEC, 0));
  files.directory = std::move(request.sandbox);
  if (!files.extra.valid()) {
    return ErrnoStatus("cannot hand on the container's file", errno);
  }
  std::string name = "posix";
  std::string command = kSuperviseArgument;
  char* const argv[] = {name.data(), command.data(), request.id.data(),
                        nullptr};
  char* const envp[] = {nullptr};
  Process process;
  // The supervisor has a session of its own from its first moment, because an
  // agent that cancels the launch kills the session of the launch.
  const int error =
      Spawn(request.supervisor.c_str(), argv, envp, std::move(files), &process);
  if (error != 0) {
    return ErrnoStatus(absl::StrCat("cannot start the supervisor ",
                                    request.supervisor, " in the sandbox"),
                       error);
  }
  // This process leaves the work to a child and ends at once.
  while (waitpid(process.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  Send(supervisor.get(), EncodeRecord(request.spec.SerializeAsString()));
  const absl::StatusOr<std::optional<std::string>> encoded =
      ReadRecord(supervisor.get(), kMaxTaskSpec);
  // At the end of the stream the supervisor has closed all that launch gave it.
  char byte;
  while (read(supervisor.get(), &byte, 1) < 0 && errno == EINTR) {
  }
  StartReport report;
  if (!encoded.ok() || !encoded->has_value() ||
      !report.ParseFromString(**encoded)) {
    return absl::InternalError(
        "the supervisor died before it could say whether the task runs");
  }
  return ToStatus(report);
}

}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/fork_exec/command_starter.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/record_io.h"

namespace external_containerizer {
namespace {

constexpr char kStdout[] = "stdout";
constexpr char kStderr[] = "stderr";

constexpr size_t kMaxQuotedStderr = 4096;

// The bytes that fit into a pipe, also if the user has too many pipes.
constexpr size_t kPipeBytes = 4096;

// Runs the program and reports its exit status, if ChildrenVanish(). The
// program does not get descriptor 3.
constexpr char kTellStatus[] = "\"$@\" 3>&-; echo \"$?\" >&3";

absl::Status NoDescriptor(const char* what) {
  return absl::ResourceExhaustedError(
      absl::StrCat("no descriptor for its ", what, ": ", strerror(errno)));
}

absl::Status OpenPipe(const char* what, UniqueFd* reader, UniqueFd* writer) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return NoDescriptor(what);
  reader->Reset(fds[0]);
  writer->Reset(fds[1]);
  // The program's end stays blocking: programs expect that.
  if (fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0) return NoDescriptor(what);
  return absl::OkStatus();
}

// Whether a write of so many bytes to the empty pipe does not block.
bool Holds(int pipe, size_t size) {
  return size <= kPipeBytes ||
         fcntl(pipe, F_GETPIPE_SZ) >= static_cast<int>(size) ||
         fcntl(pipe, F_SETPIPE_SZ, static_cast<int>(size)) >=
             static_cast<int>(size);
}

// Makes a descriptor that reads the record of `payload` and then EOF: a pipe,
// since some programs poll it, or a file in memory if no pipe may be that
// large. A program that ignores its input causes no error (D26).
absl::Status OpenInput(absl::string_view payload, UniqueFd* fd) {
  const std::string record = EncodeRecord(payload);
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return NoDescriptor("input");
  fd->Reset(fds[0]);
  UniqueFd writer(fds[1]);
  if (!Holds(fds[1], record.size())) {
    writer.Reset();
    fd->Reset(memfd_create("input", MFD_CLOEXEC));
    if (!fd->valid()) return NoDescriptor("input");
  }
  absl::string_view left = record;
  while (!left.empty()) {
    const ssize_t size = write(writer.valid() ? writer.get() : fd->get(),
                               left.data(), left.size());
    if (size < 0 && errno != EINTR) return NoDescriptor("input");
    if (size > 0) left.remove_prefix(static_cast<size_t>(size));
  }
  if (!writer.valid()) lseek(fd->get(), 0, SEEK_SET);
  return absl::OkStatus();
}

absl::Status OpenNull(int flags, const char* what, UniqueFd* fd) {
  fd->Reset(open("/dev/null", flags | O_CLOEXEC));
  return fd->valid() ? absl::OkStatus() : NoDescriptor(what);
}

// Whether a process may change to the directory: its mode may forbid that.
bool CanBeEntered(int directory) {
  return UniqueFd(openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC))
      .valid();
}

bool HasInput(Command command) {
  return command != Command::kContainers && command != Command::kRecover;
}

}  // namespace

CommandStarter::CommandStarter(CommandLine line,
                               InheritedEnvironment environment,
                               std::string work_directory,
                               int work_directory_fd)
    : line_(std::move(line)),
      environment_(std::move(environment)),
      work_directory_(std::move(work_directory)),
      work_directory_fd_(work_directory_fd) {}

absl::StatusOr<StartedCommand> CommandStarter::Start(
    Invocation* invocation) const {
  absl::StatusOr<EnvironmentBlock> environment =
      environment_.With(invocation->environment);
  if (!environment.ok()) return environment.status();

  StartedCommand started;
  ProcessFiles files;
  absl::Status status = OpenFiles(*invocation, &files, &started);
  if (!status.ok()) return status;
  if (HasInput(invocation->command)) {
    status = OpenInput(invocation->input, &files.stdin_fd);
  } else {
    status = OpenNull(O_RDONLY, "input", &files.stdin_fd);
  }
  if (!status.ok()) return status;

  const std::string command(CommandName(invocation->command));
  std::vector<const char*> arguments;
  const char* file = line_.file.c_str();
  if (files.extra.valid()) {
    file = "/bin/sh";
    arguments = {"sh", "-c", kTellStatus, "sh", line_.file.c_str()};
  } else {
    arguments = {line_.arguments[0].c_str()};
  }
  for (size_t i = 1; i < line_.arguments.size(); ++i) {
    arguments.push_back(line_.arguments[i].c_str());
  }
  arguments.push_back(command.c_str());
  arguments.push_back(nullptr);
  const int error =
      Spawn(file, const_cast<char* const*>(arguments.data()),
            environment->pointers.data(), std::move(files), &started.process);
  if (error != 0) return ExecutionError(line_.file, error);
  std::string().swap(invocation->input);  // An assignment keeps the memory.
  started.sandbox = std::exchange(invocation->sandbox, std::nullopt);
  return started;
}

absl::Status CommandStarter::OpenFiles(const Invocation& invocation,
                                       ProcessFiles* files,
                                       StartedCommand* started) const {
  absl::Status status;
  if (invocation.sandbox.has_value()) {
    const bool is_launch = invocation.command == Command::kLaunch;
    status = is_launch ? OpenForLaunch(*invocation.sandbox, files, started)
                       : OpenWhatCanBe(*invocation.sandbox, files, started);
    if (!status.ok()) return status;
  }
  if (!files->stderr_fd.valid()) {
    status = OpenProgramStderr(files, started);
    if (!status.ok()) return status;
  }

  if (HasResult(invocation.command)) {
    status = OpenPipe("output", &started->output, &files->stdout_fd);
  } else if (!files->stdout_fd.valid()) {
    status = OpenNull(O_WRONLY, "output", &files->stdout_fd);
  }
  if (status.ok() && ChildrenVanish()) {
    status = OpenPipe("exit status", &started->exit_status, &files->extra);
  }
  return status;
}

absl::Status CommandStarter::OpenForLaunch(const Sandbox& sandbox,
                                           ProcessFiles* files,
                                           StartedCommand* started) const {
  absl::StatusOr<UniqueFd> directory = OpenSandboxForLaunch(sandbox);
  if (!directory.ok()) return directory.status();
  absl::StatusOr<AppendedFile> error_file = OpenForAppending(
      directory->get(), kStderr, sandbox.owner, sandbox.FullPath());
  if (!error_file.ok()) return error_file.status();
  absl::StatusOr<AppendedFile> output_file = OpenForAppending(
      directory->get(), kStdout, sandbox.owner, sandbox.FullPath());
  if (!output_file.ok()) return output_file.status();
  files->directory = *std::move(directory);
  files->stdout_fd = std::move(output_file->fd);
  files->stderr_fd = std::move(error_file->fd);
  started->stderr_file = *std::move(error_file);
  started->stderr_is_in_sandbox = true;
  return absl::OkStatus();
}

// A damaged sandbox must not prevent update, usage, wait or destroy.
absl::Status CommandStarter::OpenWhatCanBe(const Sandbox& sandbox,
                                           ProcessFiles* files,
                                           StartedCommand* started) const {
  absl::StatusOr<UniqueFd> directory = OpenSandbox(sandbox);
  if (directory.ok() && CanBeEntered(directory->get())) {
    files->directory = *std::move(directory);
  } else if (directory.ok() || absl::IsFailedPrecondition(directory.status())) {
    files->directory.Reset(fcntl(work_directory_fd_, F_DUPFD_CLOEXEC, 0));
    return files->directory.valid() ? absl::OkStatus()
                                    : NoDescriptor("working directory");
  } else {
    return directory.status();
  }
  absl::StatusOr<AppendedFile> error_file = OpenForAppending(
      files->directory.get(), kStderr, sandbox.owner, sandbox.FullPath());
  if (error_file.ok()) {
    files->stderr_fd = std::move(error_file->fd);
    started->stderr_file = *std::move(error_file);
    started->stderr_is_in_sandbox = true;
  } else if (!absl::IsFailedPrecondition(error_file.status())) {
    return error_file.status();
  }
  return absl::OkStatus();
}

absl::Status CommandStarter::OpenProgramStderr(ProcessFiles* files,
                                               StartedCommand* started) const {
  absl::StatusOr<AppendedFile> file = OpenForAppending(
      work_directory_fd_, kProgramStderr, std::nullopt, work_directory_);
  if (absl::IsFailedPrecondition(file.status())) {
    // The command runs nonetheless, for example on a full disk.
    return OpenNull(O_WRONLY, "stderr", &files->stderr_fd);
  }
  if (!file.ok()) return file.status();
  files->stderr_fd = std::move(file->fd);
  started->stderr_file = *std::move(file);
  return absl::OkStatus();
}

std::string CommandStarter::Stderr(const StartedCommand& command) const {
  if (!command.stderr_is_in_sandbox) {
    return ReadAppended(work_directory_fd_, kProgramStderr, command.stderr_file,
                        kMaxQuotedStderr);
  }
  const absl::StatusOr<UniqueFd> directory = OpenSandbox(*command.sandbox);
  if (!directory.ok()) return "";
  return ReadAppended(directory->get(), kStderr, command.stderr_file,
                      kMaxQuotedStderr);
}

}  // namespace external_containerizer

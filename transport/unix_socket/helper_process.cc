// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/unix_socket/helper_process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/unix_socket/helper.h"

namespace external_containerizer {
namespace {

constexpr char kStderr[] = "helper.stderr";
constexpr char kOldStderr[] = "helper.stderr.old";
constexpr off_t kMaxStderr = off_t{1} << 20;
constexpr size_t kMaxQuoted = 1024;
constexpr absl::Duration kKillTime = absl::Seconds(1);
// A process that ends closes its connections a little earlier.
constexpr absl::Duration kEndTime = absl::Milliseconds(50);
constexpr char kExecHelper[] = "exec_helper";
// Of a shell, for what it was to execute.
constexpr int kCannotExecute = 126;
constexpr int kNotFound = 127;

absl::StatusOr<AppendedFile> OpenStderr(int directory,
                                        const std::string& where) {
  absl::StatusOr<AppendedFile> file =
      OpenForAppending(directory, kStderr, std::nullopt, where);
  if (!file.ok() || file->offset < kMaxStderr ||
      renameat(directory, kStderr, directory, kOldStderr) != 0) {
    return file;
  }
  return OpenForAppending(directory, kStderr, std::nullopt, where);
}

std::string DescribeStatus(int wait_status) {
  if (WIFSIGNALED(wait_status)) {
    const int signal = WTERMSIG(wait_status);
    const char* name = sigdescr_np(signal);
    return absl::StrCat("was killed by signal ", signal, " (",
                        name == nullptr ? "unknown" : name, ")");
  }
  return absl::StrCat("exited with status ", WEXITSTATUS(wait_status));
}

// How a child of ours ended; it stays to be reaped. Waits a moment for that.
std::optional<int> AwaitStatus(const Process& process) {
  std::optional<int> wait_status;
  AwaitEnd(process.pidfd.get(), Deadline(kEndTime));
  Peek(process.pidfd.get(), &wait_status);
  return wait_status;
}

// Whether one of the words of `program` is a path of exec_helper.
bool NamesExecHelper(absl::string_view program) {
  for (const absl::string_view word :
       absl::StrSplit(program, absl::ByAnyChar(" \t\n'\""))) {
    if (word == kExecHelper ||
        absl::EndsWith(word, absl::StrCat("/", kExecHelper))) {
      return true;
    }
  }
  return false;
}

// What may help if `program` ended instead of serving; empty if it is known
// that this does not.
std::string Hint(const std::string& program, std::optional<int> wait_status) {
  if (NamesExecHelper(program)) return "";
  if (wait_status.has_value() && (WIFSIGNALED(*wait_status) ||
                                  WEXITSTATUS(*wait_status) == kCannotExecute ||
                                  WEXITSTATUS(*wait_status) == kNotFound)) {
    return "";
  }
  // One word for a shell: PROGRAM is one argument.
  return absl::StrCat(
      "; a program that knows no `serve` needs exec_helper in front of it: ",
      kExecHelper, " '",
      helper::Printable(absl::StrReplaceAll(program, {{"'", "'\\''"}})), "'");
}

}  // namespace

HelperProcess::HelperProcess(EventLoop& loop, Program program)
    : loop_(loop), program_(std::move(program)) {}

HelperProcess::~HelperProcess() {
  if (running()) loop_.Unwatch(process_.pidfd.get());
}

absl::Status HelperProcess::Start(
    const std::string& socket,
    absl::AnyInvocable<void(absl::Status) &&> ended) {
  if (running()) return absl::OkStatus();
  const absl::StatusOr<EnvironmentBlock> environment =
      program_.environment.With({});
  if (!environment.ok()) return environment.status();
  directory_.Reset(open(program_.work_directory.c_str(),
                        O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory_.valid()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot use the work directory \"",
        absl::CHexEscape(program_.work_directory), "\": ", strerror(errno)));
  }
  absl::StatusOr<AppendedFile> stderr_file =
      OpenStderr(directory_.get(), program_.work_directory);
  if (!stderr_file.ok()) return stderr_file.status();
  ProcessFiles files;
  files.stderr_fd = std::move(stderr_file->fd);
  files.stdin_fd.Reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
  files.stdout_fd.Reset(open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!files.stdin_fd.valid() || !files.stdout_fd.valid()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("no descriptor for a helper: ", strerror(errno)));
  }
  const std::string at = absl::StrCat("--socket=", socket);
  std::vector<const char*> arguments;
  for (const std::string& argument : program_.line.arguments) {
    arguments.push_back(argument.c_str());
  }
  arguments.insert(arguments.end(), {"serve", at.c_str(), nullptr});
  const int error = Spawn(
      program_.line.file.c_str(), const_cast<char* const*>(arguments.data()),
      environment->pointers.data(), std::move(files), &process_);
  if (error != 0) {
    process_ = Process();
    return ExecutionError(program_.line.file, error);
  }
  stderr_file_ = *std::move(stderr_file);
  ended_ = std::move(ended);
  if (!running()) {
    // It has ended, and nobody can say how: the kernel keeps no status if
    // SIGCHLD is ignored.
    return WhyEnded(std::nullopt);
  }
  absl::Status status =
      loop_.Watch(process_.pidfd.get(), EPOLLIN, [this](uint32_t) { Ended(); });
  if (!status.ok()) {
    Kill();
    process_ = Process();
  }
  return status;
}

void HelperProcess::Kill() { SendSignal(process_.pidfd.get(), SIGKILL); }

void HelperProcess::KillAndReap() {
  if (!running()) return;
  Kill();
  AwaitEnd(process_.pidfd.get(), Deadline(kKillTime));
  std::optional<int> ignored;
  Reap(process_.pidfd.get(), &ignored);
}

void HelperProcess::Ended() {
  std::optional<int> wait_status;
  if (Reap(process_.pidfd.get(), &wait_status) == ProcessState::kRunning) {
    return;
  }
  loop_.Unwatch(process_.pidfd.get());
  ended_pid_ = process_.pid;
  ended_status_ = wait_status;
  process_ = Process();
  // Last: it may start another one, or destroy us.
  std::exchange(ended_, nullptr)(WhyEnded(wait_status));
}

std::string HelperProcess::Said() const {
  if (!directory_.valid()) return "";
  const std::string text =
      ReadAppended(directory_.get(), kStderr, stderr_file_, kMaxQuoted);
  return helper::Printable(absl::StripAsciiWhitespace(text));
}

std::string HelperProcess::WhatBecameOf(pid_t pid) const {
  std::optional<int> wait_status;
  if (running() && pid == process_.pid) {
    wait_status = AwaitStatus(process_);
  } else if (pid == ended_pid_) {
    wait_status = ended_status_;
  }
  const std::string how = wait_status.has_value()
                              ? DescribeStatus(*wait_status)
                              : "ended or closed the connection";
  const std::string file =
      helper::Printable(absl::StrCat(program_.work_directory, "/", kStderr));
  const std::string said = Said();
  return absl::StrCat(
      "the helper ", how,
      said.empty()
          ? absl::StrCat("; what it may have said is in \"", file, "\"")
          : absl::StrCat("; the end of \"", file, "\": \"", said, "\""));
}

absl::Status HelperProcess::WhyEnded(std::optional<int> wait_status) const {
  const std::string text = Said();
  const std::string said =
      text.empty() ? "" : absl::StrCat("; stderr: \"", text, "\"");
  if (wait_status.has_value() && WIFEXITED(*wait_status) &&
      WEXITSTATUS(*wait_status) == helper::kAlreadyServed) {
    return absl::UnavailableError(
        absl::StrCat("another helper has the socket's lock and accepts "
                     "nobody: it lets its "
                     "last commands end, or hangs; ask again, or end it",
                     said));
  }
  const std::string how = wait_status.has_value()
                              ? DescribeStatus(*wait_status)
                              : "ended (nobody knows how: SIGCHLD is ignored)";
  const std::string shown = helper::Printable(program_.shown);
  const std::string message =
      absl::StrCat("`", shown, " serve` ", how, " instead of serving", said,
                   Hint(program_.shown, wait_status));
  return wait_status.has_value() ? absl::FailedPreconditionError(message)
                                 : absl::UnavailableError(message);
}

}  // namespace external_containerizer

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
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/reaper.h"
#include "external_containerizer/transport/unix_socket/helper.h"

namespace external_containerizer {
namespace {

constexpr char kStderr[] = "helper.stderr";
constexpr size_t kMaxQuoted = 1024;
constexpr char kExecHelper[] = "exec_helper";
// The exit statuses of a shell that cannot execute a command.
constexpr int kCannotExecute = 126;
constexpr int kNotFound = 127;

// Whether a word of `program` is a path to exec_helper.
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

// Advice for a program that ended instead of serving. Empty if exec_helper
// would not help.
std::string Hint(const std::string& program, std::optional<int> wait_status) {
  if (NamesExecHelper(program)) return "";
  if (wait_status.has_value() && (WIFSIGNALED(*wait_status) ||
                                  WEXITSTATUS(*wait_status) == kCannotExecute ||
                                  WEXITSTATUS(*wait_status) == kNotFound)) {
    return "";
  }
  // Quoted as one word for a shell.
  return absl::StrCat(
      "; a program that knows no `serve` needs exec_helper in front of it: ",
      kExecHelper, " '",
      helper::Printable(absl::StrReplaceAll(program, {{"'", "'\\''"}})), "'");
}

}  // namespace

HelperProcess::HelperProcess(EventLoop& loop, Program program,
                             UniqueFd directory)
    : loop_(loop),
      program_(std::move(program)),
      directory_(std::move(directory)),
      stderr_bound_(loop, directory_.get(), kStderr) {}

HelperProcess::~HelperProcess() {
  if (!running()) return;
  loop_.Unwatch(process_.pidfd.get());
  if (killed_) ReapLater(loop_, std::move(process_.pidfd));
}

absl::Status HelperProcess::Start(
    const std::string& socket,
    absl::AnyInvocable<void(absl::Status) &&> ended) {
  if (running()) return absl::OkStatus();
  const absl::StatusOr<EnvironmentBlock> environment =
      program_.environment.With({});
  if (!environment.ok()) return environment.status();
  absl::StatusOr<AppendedFile> stderr_file = OpenForAppending(
      directory_.get(), kStderr, std::nullopt, program_.work_directory);
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
  killed_ = false;
  stderr_file_ = *std::move(stderr_file);
  ended_ = std::move(ended);
  if (!running()) {
    // The helper has ended, and its status is lost because SIGCHLD is ignored.
    return WhyEnded(std::nullopt);
  }
  absl::Status status = loop_.Watch(process_.pidfd.get(), EPOLLIN,
                                    [this](uint32_t) { OnEnded(); });
  if (!status.ok()) {
    Kill();
    process_ = Process();
  }
  return status;
}

void HelperProcess::Kill() {
  if (!running()) return;
  SendSignal(process_.pidfd.get(), SIGKILL);
  killed_ = true;
}

void HelperProcess::OnEnded() {
  std::optional<int> wait_status;
  if (Reap(process_.pidfd.get(), &wait_status) == ProcessState::kRunning) {
    return;
  }
  loop_.Unwatch(process_.pidfd.get());
  ended_pid_ = process_.pid;
  ended_status_ = wait_status;
  process_ = Process();
  // Last: the callback may start another helper, or destroy this object.
  std::exchange(ended_, nullptr)(WhyEnded(wait_status));
}

std::string HelperProcess::Said() const {
  const std::string text =
      ReadAppended(directory_.get(), kStderr, stderr_file_, kMaxQuoted);
  return helper::Printable(absl::StripAsciiWhitespace(text));
}

std::string HelperProcess::WhatBecameOf(pid_t pid) const {
  std::optional<int> wait_status;
  if (pid == ended_pid_) wait_status = ended_status_;
  const std::string how = wait_status.has_value()
                              ? DescribeWaitStatus(*wait_status)
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
    return absl::UnavailableError(absl::StrCat(
        "another helper has the socket's lock and accepts nobody: ",
        helper::kWhyLocked, said));
  }
  const std::string how = wait_status.has_value()
                              ? DescribeWaitStatus(*wait_status)
                              : "ended (nobody knows how: SIGCHLD is ignored)";
  const std::string shown = helper::Printable(program_.shown);
  const std::string message =
      absl::StrCat("`", shown, " serve` ", how, " instead of serving", said,
                   Hint(program_.shown, wait_status));
  return wait_status.has_value() ? absl::FailedPreconditionError(message)
                                 : absl::UnavailableError(message);
}

}  // namespace external_containerizer

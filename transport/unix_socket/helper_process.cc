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

#include <memory>
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
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/unix_socket/helper.h"

namespace external_containerizer {
namespace {

constexpr char kStderr[] = "helper.stderr";
constexpr size_t kMaxQuoted = 1024;
// A process that ends closes its connections a little earlier.
constexpr absl::Duration kEndTime = absl::Milliseconds(50);
constexpr char kExecHelper[] = "exec_helper";
// Of a shell, for what it was to execute.
constexpr int kCannotExecute = 126;
constexpr int kNotFound = 127;

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
  loop_.CancelTimer(tell_timer_);
  if (!running()) return;
  const int pidfd = process_.pidfd.get();
  loop_.Unwatch(pidfd);
  if (!killed_) return;
  const auto process = std::make_shared<Process>(std::move(process_));
  // If it cannot be watched it stays a zombie of this process.
  static_cast<void>(
      loop_.Watch(pidfd, EPOLLIN, [&loop = loop_, process](uint32_t) {
        const std::shared_ptr<Process> kept = process;
        loop.Unwatch(kept->pidfd.get());
        std::optional<int> ignored;
        Reap(kept->pidfd.get(), &ignored);
      }));
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
      OpenBounded(directory_.get(), kStderr, program_.work_directory);
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

void HelperProcess::Kill() {
  if (!running()) return;
  SendSignal(process_.pidfd.get(), SIGKILL);
  killed_ = true;
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
  if (!asked_.empty()) TellAfter(absl::ZeroDuration());
  // Last: it may start another one, or destroy us.
  std::exchange(ended_, nullptr)(WhyEnded(wait_status));
}

std::string HelperProcess::Said() const {
  if (!directory_.valid()) return "";
  const std::string text =
      ReadAppended(directory_.get(), kStderr, stderr_file_, kMaxQuoted);
  return helper::Printable(absl::StripAsciiWhitespace(text));
}

void HelperProcess::TellWhatBecameOf(
    pid_t pid, absl::AnyInvocable<void(const std::string&) &&> tell) {
  asked_.push_back({pid, std::move(tell)});
  if (tell_timer_ != 0) return;
  const bool may_be_ending = running() && pid == process_.pid;
  TellAfter(may_be_ending ? kEndTime : absl::ZeroDuration());
}

void HelperProcess::TellAfter(absl::Duration delay) {
  loop_.CancelTimer(tell_timer_);
  tell_timer_ = loop_.RunAfter(delay, [this] {
    tell_timer_ = 0;
    Tell();
  });
}

void HelperProcess::Tell() {
  std::vector<std::string> texts;
  for (const Asked& asked : asked_) texts.push_back(WhatBecameOf(asked.pid));
  // Any of these may destroy us.
  std::vector<Asked> all = std::exchange(asked_, {});
  for (size_t i = 0; i < all.size(); ++i) std::move(all[i].tell)(texts[i]);
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
    return absl::UnavailableError(
        absl::StrCat("another helper has the socket's lock and accepts "
                     "nobody: it lets its "
                     "last commands end, or hangs; ask again, or end it",
                     said));
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

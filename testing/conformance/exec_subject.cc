// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/conformance/exec_subject.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/conformance/raw_answer.h"
#include "external_containerizer/transport/linux/command_line.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/process.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/record_io.h"
#include "external_containerizer/transport/session_killer.h"

namespace external_containerizer {
namespace conformance {
namespace {

constexpr absl::Duration kKillPatience = absl::Seconds(5);
// For processes that end a moment after the command.
constexpr absl::Duration kHoldGrace = absl::Seconds(1);
constexpr size_t kMaxQuoted = 400;

UniqueFd OpenToAppend(const std::string& path) {
  return UniqueFd(open(
      path.c_str(),
      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0644));
}

size_t SizeOf(const UniqueFd& file) {
  struct stat stat;
  return fstat(file.get(), &stat) == 0 ? static_cast<size_t>(stat.st_size) : 0;
}

// A pipe whose `ours` end does not block.
bool MakePipe(UniqueFd* reader, UniqueFd* writer, UniqueFd* ours) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  reader->Reset(ends[0]);
  writer->Reset(ends[1]);
  return fcntl(ours->get(), F_SETFL, O_NONBLOCK) == 0;
}

class ExecCall : public Call {
 public:
  explicit ExecCall(EventLoop& loop) : loop_(loop) {}
  ~ExecCall() override { Kill(); }

  void Start(const ProgramOptions& options, const Request& request) {
    const Environment& given = request.environment;
    const absl::StatusOr<EnvironmentBlock> environment =
        options.inherited.With(given);
    if (!environment.ok()) return Fail(environment.status());
    std::vector<char*> argv;
    for (const std::string& word : options.command) {
      argv.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(const_cast<char*>(request.command.c_str()));
    argv.push_back(nullptr);

    const std::string directory =
        request.sandbox.empty() ? options.work_directory : request.sandbox;
    errors_path_ = request.sandbox.empty()
                       ? options.work_directory + "/program.stderr"
                       : request.sandbox + "/stderr";
    ProcessFiles files;
    files.directory =
        UniqueFd(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    files.stderr_fd = OpenToAppend(errors_path_);
    errors_size_ = SizeOf(files.stderr_fd);
    bool made = MakePipe(&files.stdin_fd, &input_, &input_);
    if (request.command == "launch") {
      files.stdout_fd = OpenToAppend(request.sandbox + "/stdout");
    } else {
      made = made && MakePipe(&output_, &files.stdout_fd, &output_);
    }
    if (!made) {
      return Fail(absl::ErrnoToStatus(errno, "cannot make a pipe"));
    }
    if (request.message.empty()) {
      input_.Reset();
    } else {
      to_write_ = EncodeRecord(request.message);
    }
    const int error = Spawn(options.command[0].c_str(), argv.data(),
                            const_cast<char**>(environment->pointers.data()),
                            std::move(files), &process_);
    if (error != 0) Fail(ExecutionError(options.command[0], error));
  }

  bool Await(Deadline deadline) override {
    while (!over_) {
      pollfd wait[] = {{process_.pidfd.get(), POLLIN, 0},
                       {output_.get(), POLLIN, 0},
                       {input_.get(), POLLOUT, 0}};
      const int ready = poll(wait, 3, deadline.PollMilliseconds());
      if (ready == 0 && deadline.Expired()) return false;
      if (wait[2].revents != 0) Write();
      if (wait[1].revents != 0) Read();
      if (wait[0].revents != 0) End();
    }
    return true;
  }

  void Kill() override {
    if (over_) return;
    over_ = true;
    ended_.how = "was killed";
    SessionKiller killer(&loop_, kKillPatience);
    killer.Kill(process_.pid, process_.pidfd.get(), /*is_child=*/true,
                [](bool) {});
    killer.KillNow();
    std::optional<int> status;
    AwaitEnd(process_.pidfd.get(), Deadline(kKillPatience));
    Reap(process_.pidfd.get(), &status);
  }

 private:
  void Fail(const absl::Status& status) {
    over_ = true;
    ended_.how = absl::StrCat("did not start: ", status.message());
  }

  // SIGPIPE is ignored.
  void Write() {
    const ssize_t n = write(input_.get(), to_write_.data() + written_,
                            to_write_.size() - written_);
    if (n > 0) written_ += static_cast<size_t>(n);
    const bool later = n < 0 && (errno == EAGAIN || errno == EINTR);
    if (written_ == to_write_.size() || (n < 0 && !later)) input_.Reset();
  }

  // Reads what is there. The bytes behind the largest answer are dropped.
  void Read() {
    char buffer[1 << 16];
    const ssize_t n = read(output_.get(), buffer, sizeof(buffer));
    if (n > 0) {
      const size_t room = 2 * kMaxAnswerBytes - bytes_.size();
      bytes_.append(buffer, std::min(room, static_cast<size_t>(n)));
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
      output_.Reset();
    }
  }

  void End() {
    std::optional<int> status;
    if (Reap(process_.pidfd.get(), &status) == ProcessState::kRunning) return;
    over_ = true;
    input_.Reset();
    const Deadline grace(kHoldGrace);
    while (output_.valid()) {
      pollfd wait = {output_.get(), POLLIN, 0};
      if (poll(&wait, 1, grace.PollMilliseconds()) == 0 && grace.Expired()) {
        ended_.held = true;
        break;
      }
      Read();
    }
    output_.Reset();
    ended_.success = status.has_value() && *status == 0;
    ended_.how = absl::StrCat(
        status.has_value() ? DescribeWaitStatus(*status) : "ended",
        ended_.success ? "" : WhatItSaid(errors_path_, errors_size_));
    JudgeAnswer(bytes_, &ended_);
  }

  EventLoop& loop_;
  bool over_ = false;
  Process process_;
  UniqueFd input_, output_;
  std::string to_write_;
  size_t written_ = 0;
  std::string bytes_;
  std::string errors_path_;
  size_t errors_size_ = 0;
};

}  // namespace

std::string WhatItSaid(const std::string& path, size_t size) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  char buffer[kMaxQuoted];
  const ssize_t n =
      pread(file.get(), buffer, sizeof(buffer), static_cast<off_t>(size));
  if (n <= 0) return "";
  absl::string_view said(buffer, static_cast<size_t>(n));
  return absl::StrCat(", and said: \"",
                      absl::Utf8SafeCHexEscape(absl::StripSuffix(said, "\n")),
                      "\"");
}

ExecSubject::ExecSubject(EventLoop& loop, ProgramOptions options)
    : loop_(loop), options_(std::move(options)) {}

std::unique_ptr<Call> ExecSubject::Start(const Request& request) {
  auto call = std::make_unique<ExecCall>(loop_);
  call->Start(options_, request);
  return call;
}

}  // namespace conformance
}  // namespace external_containerizer

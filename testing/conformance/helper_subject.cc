// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/conformance/helper_subject.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/linux/command_line.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace conformance {
namespace {

// Between two looks whether a helper that starts listens.
constexpr int kPauseMilliseconds = 5;

std::string ErrorsPath(const ProgramOptions& options) {
  return options.work_directory + "/helper.stderr";
}

helper::v1::HelloRequest Versions(uint32_t oldest, uint32_t newest) {
  helper::v1::HelloRequest hello;
  hello.set_oldest_version(oldest);
  hello.set_newest_version(newest);
  return hello;
}

void Translate(absl::StatusOr<helper::v1::CommandReply> result, Ended* ended) {
  if (!result.ok()) {
    ended->how = absl::StrCat("failed: ", result.status().ToString());
    return;
  }
  const helper::v1::CommandReply& reply = *result;
  ended->success =
      reply.ending() == helper::v1::ANSWERED && !reply.has_failure();
  if (ended->success) {
    ended->how = "succeeded";
  } else if (reply.has_failure()) {
    ended->how =
        absl::StrCat("failed, and said: \"",
                     helper::Printable(reply.failure().message()), "\"");
  } else {
    ended->how = absl::StrCat("had the ending ",
                              helper::v1::Ending_Name(reply.ending()));
  }
  if (reply.has_output()) ended->answer = reply.output();
}

}  // namespace

class HelperCall : public Call {
 public:
  explicit HelperCall(HelperSubject& subject) : subject_(subject) {}
  ~HelperCall() override {
    if (!state_->over) Kill();
  }

  void Start(const Request& request) {
    const absl::Status connected = subject_.Connect();
    if (!connected.ok()) {
      state_->over = true;
      ended_.how = std::string(connected.message());
      return;
    }
    helper::v1::CommandRequest message;
    message.set_key(++subject_.last_key_);
    message.set_message(request.message);
    for (const auto& [name, value] : request.environment) {
      helper::v1::Variable* variable = message.add_environment();
      variable->set_name(name);
      variable->set_value(value);
    }
    if (!request.sandbox.empty()) {
      const size_t slash = request.sandbox.rfind('/');
      message.mutable_sandbox()->set_root(request.sandbox.substr(0, slash));
      message.mutable_sandbox()->set_path(request.sandbox.substr(slash + 1));
    }
    std::string name = request.command;
    name[0] = absl::ascii_toupper(static_cast<unsigned char>(name[0]));
    ttrpc::Call(*subject_.client_,
                helper::CommandMethod{helper::kService, name}, message,
                ttrpc::CallOptions(),
                [state = state_, &loop = subject_.loop_](
                    ttrpc::CallResult<helper::v1::CommandReply> result) {
                  state->reply = std::move(result.reply);
                  state->over = true;
                  loop.Stop();
                });
  }

  bool Await(Deadline deadline) override {
    if (!subject_.RunUntil(state_->over, deadline)) return false;
    if (state_->reply.has_value()) {
      Translate(*std::exchange(state_->reply, std::nullopt), &ended_);
    }
    return true;
  }

  void Kill() override {
    subject_.KillHelper();
    Await(Deadline(absl::InfiniteDuration()));
  }

 private:
  struct State {
    bool over = false;
    std::optional<absl::StatusOr<helper::v1::CommandReply>> reply;
  };

  HelperSubject& subject_;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

HelperSubject::HelperSubject(EventLoop& loop, ProgramOptions options,
                             absl::Duration patience)
    : loop_(loop),
      options_(std::move(options)),
      patience_(patience),
      socket_(options_.work_directory + "/helper.sock") {}

HelperSubject::~HelperSubject() { KillHelper(); }

bool HelperSubject::RunUntil(const bool& done, Deadline deadline) {
  const EventLoop::TimerId timer =
      loop_.RunAfter(deadline.Remaining(), [this] { loop_.Stop(); });
  // A Stop() of an earlier call may come first.
  while (!done && !deadline.Expired()) loop_.Run();
  loop_.CancelTimer(timer);
  return done;
}

absl::Status HelperSubject::StartHelper() {
  const absl::StatusOr<EnvironmentBlock> environment =
      options_.inherited.With({});
  if (!environment.ok()) return environment.status();
  const std::string at = absl::StrCat("--socket=", socket_);
  std::vector<const char*> argv;
  for (const std::string& word : options_.command) argv.push_back(word.c_str());
  argv.insert(argv.end(), {"serve", at.c_str(), nullptr});
  ProcessFiles files;
  files.stdin_fd.Reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
  files.stdout_fd.Reset(open("/dev/null", O_WRONLY | O_CLOEXEC));
  files.stderr_fd.Reset(open(ErrorsPath(options_).c_str(),
                             O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  files.directory.Reset(open(options_.work_directory.c_str(),
                             O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const int error = Spawn(argv[0], const_cast<char* const*>(argv.data()),
                          const_cast<char**>(environment->pointers.data()),
                          std::move(files), &helper_);
  return error == 0 ? absl::OkStatus() : ExecutionError(argv[0], error);
}

absl::Status HelperSubject::Connect() {
  if (client_ != nullptr && client_->status().ok()) return absl::OkStatus();
  client_ = nullptr;
  const Deadline deadline(patience_);
  if (!helper_.pidfd.valid()) {
    const absl::Status started = StartHelper();
    if (!started.ok()) return started;
  }
  for (;;) {
    auto client = ttrpc::Client::Connect(loop_, socket_);
    if (client.ok()) {
      absl::StatusOr<helper::v1::HelloReply> reply =
          AskAt(**client, helper::kHello,
                Versions(helper::kVersion, helper::kVersion));
      if (reply.ok()) {
        hello_ = *std::move(reply);
        client_ = *std::move(client);
        return absl::OkStatus();
      }
      // The socket of a helper that was killed may listen for a moment more.
      if (!absl::IsUnavailable(reply.status()) || deadline.Expired()) {
        return absl::Status(
            reply.status().code(),
            absl::StrCat("Hello failed: ", reply.status().message()));
      }
    }
    std::optional<int> status;
    if (Reap(helper_.pidfd.get(), &status) != ProcessState::kRunning) {
      helper_ = Process();
      // So may its lock, for which there is an exit code.
      if (status == W_EXITCODE(helper::kAlreadyServed, 0) &&
          !deadline.Expired()) {
        poll(nullptr, 0, kPauseMilliseconds);
        const absl::Status started = StartHelper();
        if (!started.ok()) return started;
        continue;
      }
      return absl::FailedPreconditionError(absl::StrCat(
          "`serve --socket=PATH` ",
          status.has_value() ? DescribeWaitStatus(*status) : "ended",
          WhatItSaid(ErrorsPath(options_), 0)));
    }
    if (deadline.Expired()) {
      return absl::DeadlineExceededError(
          absl::StrCat("`serve --socket=PATH` does not listen there within ",
                       absl::FormatDuration(patience_)));
    }
    poll(nullptr, 0, kPauseMilliseconds);
  }
}

absl::StatusOr<helper::v1::HelloReply> HelperSubject::Hello(uint32_t oldest,
                                                            uint32_t newest) {
  absl::Status connected = Connect();
  if (!connected.ok()) return connected;
  auto client = ttrpc::Client::Connect(loop_, socket_);
  if (!client.ok()) return client.status();
  return AskAt(**client, helper::kHello, Versions(oldest, newest));
}

std::unique_ptr<Call> HelperSubject::Start(const Request& request) {
  auto call = std::make_unique<HelperCall>(*this);
  call->Start(request);
  return call;
}

void HelperSubject::KillHelper() {
  if (helper_.pidfd.valid()) {
    SendSignal(helper_.pidfd.get(), SIGKILL);
    AwaitEnd(helper_.pidfd.get(), Deadline(patience_));
    std::optional<int> status;
    Reap(helper_.pidfd.get(), &status);
    helper_ = Process();
  }
  client_ = nullptr;
}

}  // namespace conformance
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/unix_socket/connector.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/ttrpc/socket.h"

namespace external_containerizer {
namespace {

namespace v1 = helper::v1;

// The pauses between attempts while a helper is about to listen.
constexpr absl::Duration kFirstPause = absl::Milliseconds(2);
constexpr absl::Duration kLastPause = absl::Milliseconds(200);

// More than a helper's max_commands, so that the helper's bound is met first.
constexpr size_t kMaxCalls = 70'000;
// After a restart of the helper all waits are sent again at once.
constexpr size_t kMaxQueuedBytes = size_t{64} << 20;

bool Has(const v1::HelloReply& hello, absl::string_view capability) {
  return std::find(hello.capabilities().begin(), hello.capabilities().end(),
                   capability) != hello.capabilities().end();
}

}  // namespace

bool HelperConnection::Can(absl::string_view capability) const {
  return Has(hello, capability);
}

Connector::Connector(EventLoop& loop, const UnixSocketOptions& options,
                     std::string socket, Environment environment,
                     std::unique_ptr<HelperProcess> process,
                     uint32_t first_stream_id)
    : loop_(loop),
      options_(options),
      socket_(std::move(socket)),
      environment_(std::move(environment)),
      process_(std::move(process)),
      first_stream_id_(first_stream_id) {}

Connector::~Connector() {
  loop_.CancelTimer(deadline_);
  loop_.CancelTimer(retry_);
  // A helper that serves ends when it is idle. One that never served would
  // stay.
  if (process_ != nullptr && process_->running() && !process_served_ &&
      !Reach().ok()) {
    process_->Kill();
  }
}

void Connector::Connect(Done done) {
  done_ = std::move(done);
  attempt_.emplace();
  replaced_ = false;
  pause_ = kFirstPause;
  deadline_ = loop_.RunAfter(options_.start_timeout, [this] {
    deadline_ = 0;
    OnTimeout();
  });
  TryAfter(absl::ZeroDuration());
}

void Connector::TryAfter(absl::Duration delay) {
  client_.reset();
  loop_.CancelTimer(retry_);
  retry_ = loop_.RunAfter(delay, [this] {
    retry_ = 0;
    Try();
  });
}

void Connector::Try() {
  absl::StatusOr<std::unique_ptr<ttrpc::Client>> client = Reach();
  if (client.ok()) {
    client_ = *std::move(client);
    last_ =
        absl::UnavailableError(absl::StrCat(Name(), " has not said Hello yet"));
    ended_ = absl::OkStatus();
    return SayHello();
  }
  last_ = client.status();
  // A helper can be started if no process listens at the socket.
  if (!absl::IsNotFound(last_) && !absl::IsUnavailable(last_)) {
    return Finish(last_);
  }
  if (process_ == nullptr) {
    return Finish(absl::UnavailableError(
        absl::StrCat(last_.message(), "; is the helper of \"",
                     helper::Printable(options_.program), "\" running?")));
  }
  Start();
}

absl::StatusOr<std::unique_ptr<ttrpc::Client>> Connector::Reach() {
  const absl::StatusOr<int> fd = ttrpc::ConnectUnix(socket_);
  if (!fd.ok()) return fd.status();
  const absl::StatusOr<ttrpc::Peer> peer = ttrpc::PeerOf(*fd);
  const absl::Status status =
      peer.ok() ? ttrpc::CheckPeer(*peer, {}) : peer.status();
  if (!status.ok()) {
    close(*fd);
    return absl::Status(status.code(), absl::StrCat("the helper at \"",
                                                    helper::Printable(socket_),
                                                    "\" is not to "
                                                    "be trusted: ",
                                                    status.message()));
  }
  peer_ = peer->pid;
  ttrpc::ClientOptions client;
  client.max_outstanding = kMaxCalls;
  client.max_queued = kMaxQueuedBytes;
  client.first_stream_id = first_stream_id_;
  return ttrpc::Client::Create(loop_, *fd, client);
}

void Connector::Start() {
  if (!process_->running()) process_served_ = false;
  if (process_served_) {
    ended_ = absl::UnavailableError(
        absl::StrCat(Name(), " accepts nobody any more: ", helper::kWhyLocked));
  }
  const absl::Status started = process_->Start(
      socket_,
      attempt_->Guard([this](absl::Status why) { OnEnded(std::move(why)); }));
  if (absl::IsInvalidArgument(started) || absl::IsFailedPrecondition(started)) {
    return Finish(started);
  }
  if (!started.ok()) ended_ = started;
  pause_ = std::min(pause_ * 3 / 2, kLastPause);
  TryAfter(pause_);
}

void Connector::OnEnded(absl::Status why) {
  // UNAVAILABLE: another helper has the lock. It listens soon, or lets its last
  // commands end.
  if (absl::IsUnavailable(why)) {
    ended_ = std::move(why);
  } else {
    Finish(std::move(why));
  }
}

void Connector::SayHello() {
  v1::HelloRequest request;
  request.set_oldest_version(helper::kVersion);
  request.set_newest_version(helper::kVersion);
  for (const auto& [name, value] : environment_) {
    v1::Variable* variable = request.add_environment();
    variable->set_name(name);
    variable->set_value(value);
  }
  ttrpc::Call(*client_, helper::kHello, request, {options_.probe_timeout, {}},
              attempt_->Guard([this](ttrpc::CallResult<v1::HelloReply> result) {
                OnHello(std::move(result));
              }));
}

void Connector::OnHello(ttrpc::CallResult<v1::HelloReply> result) {
  if (!result.reply.ok()) {
    const absl::Status& status = result.reply.status();
    greeting_ = absl::UnavailableError(
        absl::StrCat(Name(), " does not say Hello: ", status.message()));
    if (absl::IsDeadlineExceeded(status)) {
      return Finish(absl::UnavailableError(absl::StrCat(
          Name(), " hangs: it accepts connections and does not answer; ",
          helper::WhatToDoAboutAHung(peer_))));
    }
    if (absl::IsUnavailable(status) || absl::IsDataLoss(status)) {
      // The helper ends, or refuses one more connection.
      pause_ = std::min(pause_ * 3 / 2, kLastPause);
      return TryAfter(pause_);
    }
    return Finish(absl::FailedPreconditionError(absl::StrCat(
        greeting_.message(), "; is it a helper of this kind at all?")));
  }
  process_served_ = true;
  greeting_ = absl::OkStatus();
  peer_ = static_cast<pid_t>(result.reply->pid());
  bool replace = false;
  const absl::Status status = Judge(*result.reply, &replace);
  // Shutdown is the same in all versions, also in those not known here.
  const bool can_end = result.reply->version() == 0 ||
                       Has(*result.reply, helper::kShutdownCapability);
  if (replace && process_ != nullptr && !replaced_ && can_end) {
    return Replace();
  }
  if (!status.ok()) return Finish(status);
  HelperConnection connection;
  connection.client = std::move(client_);
  connection.hello = *std::move(result.reply);
  connection.pid = peer_;
  connection.name = Name();
  connection.process = process_.get();
  Finish(std::move(connection));
}

absl::Status Connector::Judge(const v1::HelloReply& hello,
                              bool* replace) const {
  *replace = hello.outdated();
  if (hello.version() == helper::kVersion) return absl::OkStatus();
  if (hello.version() != 0) {
    return absl::FailedPreconditionError(
        absl::StrCat(Name(), " chose version ", hello.version(),
                     " of the protocol, which was not offered"));
  }
  *replace = hello.newest_version() < helper::kVersion;
  return absl::FailedPreconditionError(absl::StrCat(
      Name(), " speaks versions ", hello.oldest_version(), " to ",
      hello.newest_version(), " of the protocol, this agent ", helper::kVersion,
      ": update the ", *replace ? "helper" : "agent"));
}

void Connector::Replace() {
  replaced_ = true;
  last_ = absl::UnavailableError(
      absl::StrCat(Name(), ", an older one, lets its last commands end"));
  // The old helper's last commands count against the time of this attempt.
  ttrpc::Call(*client_, helper::kShutdown, v1::ShutdownRequest(),
              {options_.probe_timeout, {}},
              attempt_->Guard([this](ttrpc::CallResult<v1::ShutdownReply>) {
                TryAfter(kFirstPause);
              }));
}

void Connector::OnTimeout() {
  const bool never_served =
      process_ != nullptr && process_->running() && !process_served_;
  // A helper that never served would stay for ever.
  if (never_served) process_->Kill();
  if (!ended_.ok()) return Finish(absl::UnavailableError(Obstacle()));
  if (never_served) {
    return Finish(absl::UnavailableError(absl::StrCat(
        "`", helper::Printable(options_.program), " serve` did not listen at ",
        helper::Printable(socket_), " within ",
        absl::FormatDuration(options_.start_timeout), "; it was ended")));
  }
  Finish(absl::UnavailableError(Obstacle()));
}

std::string Connector::Obstacle() const {
  // The end of a helper that was started here tells most. The failure of an
  // earlier attempt tells more than the fact that another one has begun.
  const absl::Status& reached = greeting_.ok() ? last_ : greeting_;
  const absl::Status& most = ended_.ok() ? reached : ended_;
  return std::string(most.message());
}

void Connector::Finish(absl::StatusOr<HelperConnection> result) {
  attempt_.reset();
  loop_.CancelTimer(std::exchange(deadline_, 0));
  loop_.CancelTimer(std::exchange(retry_, 0));
  client_.reset();
  last_ = absl::OkStatus();
  greeting_ = absl::OkStatus();
  ended_ = absl::OkStatus();
  std::exchange(done_, nullptr)(std::move(result));
}

std::string Connector::Name() const {
  const std::string program = absl::StrCat(
      "the helper of \"", helper::Printable(options_.program), "\"");
  // Before Hello the pid is that of the process that listened first, which may
  // be systemd.
  return peer_ > 1 ? absl::StrCat(program, " (process ", peer_, ")")
                   : absl::StrCat(program, " at \"", helper::Printable(socket_),
                                  "\"");
}

}  // namespace external_containerizer

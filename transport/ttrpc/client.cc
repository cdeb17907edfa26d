// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/client.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "external_containerizer/transport/ttrpc/status.h"
#include "external_containerizer/transport/ttrpc/ttrpc.pb.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

wire::Request ToRequest(absl::string_view service, absl::string_view method,
                        std::string payload, const CallOptions& options) {
  wire::Request request;
  request.set_service(service.data(), service.size());
  request.set_method(method.data(), method.size());
  request.set_payload(std::move(payload));
  // 0 would mean for ever.
  request.set_timeout_nano(
      options.timeout == absl::InfiniteDuration()
          ? 0
          : std::max<int64_t>(1, absl::ToInt64Nanoseconds(options.timeout)));
  for (const auto& [key, value] : options.metadata) {
    wire::KeyValue* pair = request.add_metadata();
    pair->set_key(absl::AsciiStrToLower(key));
    pair->set_value(value);
  }
  return request;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Client>> Client::Create(EventLoop& loop, int fd,
                                                       ClientOptions options) {
  std::unique_ptr<Client> client(new Client(loop, options));
  auto connection =
      Connection::Create(loop, fd, Connection::Options(), client.get());
  if (!connection.ok()) return connection.status();
  client->connection_ = *std::move(connection);
  return client;
}

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(
    EventLoop& loop, const std::string& path, ClientOptions options,
    const std::vector<uid_t>& allowed_uids) {
  auto fd = ConnectUnix(path);
  if (!fd.ok()) return fd.status();
  auto peer = PeerOf(*fd);
  absl::Status status =
      peer.ok() ? CheckPeer(*peer, allowed_uids) : peer.status();
  if (!status.ok()) {
    close(*fd);
    return status;
  }
  return Create(loop, *fd, options);
}

Client::~Client() {
  if (connection_ == nullptr) return;
  connection_->Close();
  for (auto& [id, call] : calls_) {
    loop_.CancelTimer(call.timer);
    EndLater(std::move(call.done),
             absl::CancelledError("ttrpc: the client was destroyed"),
             ProgressOf(call) == Progress::kWritten ? Outcome::kUnknown
                                                    : Outcome::kNotSent);
  }
}

Client::CallId Client::Call(absl::string_view service, absl::string_view method,
                            std::string request, CallOptions options,
                            Done done) {
  absl::Status status = Admit(options);
  wire::Request message;
  if (status.ok()) {
    message = ToRequest(service, method, std::move(request), options);
    const size_t size = message.ByteSizeLong();
    const size_t waiting = connection_->waiting();
    if (!IsValidUtf8(service) || !IsValidUtf8(method)) {
      status = absl::InvalidArgumentError(
          absl::StrCat("ttrpc: not UTF-8: ", absl::CHexEscape(service), "/",
                       absl::CHexEscape(method)));
    } else if (size > kMaxFrameBody) {
      status = TooLarge(size);
    } else if (waiting > 0 && waiting + size > options_.max_queued) {
      status = absl::ResourceExhaustedError(absl::StrCat(
          "ttrpc: ", waiting, " bytes wait for a server that does not read"));
    }
  }
  CallId id = 0;
  if (status.ok()) {
    id = static_cast<CallId>(next_id_);
    next_id_ += 2;
    const uint64_t begin = connection_->queued();
    connection_->Send(id, FrameType::kRequest, message);
    EventLoop::TimerId timer = 0;
    if (options.timeout != absl::InfiniteDuration()) {
      timer = loop_.RunAfter(options.timeout, [this, id] { Expire(id); });
    }
    calls_.emplace(id, OutstandingCall{std::move(done), timer, begin,
                                       connection_->queued()});
  } else {
    EndLater(std::move(done), std::move(status), Outcome::kNotSent);
  }
  return id;
}

absl::Status Client::Admit(const CallOptions& options) const {
  if (!status_.ok()) return status_;
  if (next_id_ > kLastId) {
    return absl::UnavailableError(
        "ttrpc: the connection has used all of its ids; connect anew");
  }
  if (calls_.size() >= options_.max_outstanding) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "ttrpc: ", calls_.size(), " calls are outstanding already"));
  }
  if (options.timeout <= absl::ZeroDuration()) {
    return absl::DeadlineExceededError("ttrpc: no time was left for the call");
  }
  if (options.metadata.size() > kMaxMetadata) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "ttrpc: ", options.metadata.size(), " pairs of metadata, and at most ",
        kMaxMetadata, " may go along with a call"));
  }
  for (const auto& [key, value] : options.metadata) {
    if (!IsValidUtf8(key) || !IsValidUtf8(value)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "ttrpc: metadata is not UTF-8: ", absl::CHexEscape(key)));
    }
  }
  return absl::OkStatus();
}

void Client::EndLater(Done done, absl::Status status, Outcome outcome) {
  loop_.Post(
      [done = std::move(done), status = std::move(status), outcome]() mutable {
        std::move(done)({std::move(status), outcome});
      });
}

Client::Progress Client::ProgressOf(const OutstandingCall& call) const {
  if (call.end <= connection_->written()) return Progress::kWritten;
  return call.begin < connection_->written() ? Progress::kPartlyWritten
                                             : Progress::kQueued;
}

Client::OutstandingCall Client::Take(uint32_t id) {
  auto it = calls_.find(id);
  OutstandingCall call = std::move(it->second);
  calls_.erase(it);
  loop_.CancelTimer(call.timer);
  return call;
}

void Client::Cancel(CallId id) {
  if (calls_.count(id) == 0) return;
  OutstandingCall call = Take(id);
  Outcome outcome = Outcome::kUnknown;
  if (ProgressOf(call) == Progress::kQueued) {
    connection_->Withdraw(call.begin, call.end);
    outcome = Outcome::kNotSent;
  }
  EndLater(std::move(call.done),
           absl::CancelledError("ttrpc: the caller cancelled"), outcome);
}

void Client::Expire(uint32_t id) {
  OutstandingCall call = Take(id);
  Outcome outcome = Outcome::kNotSent;
  const char* message = "ttrpc: the server did not read the call in time";
  switch (ProgressOf(call)) {
    case Progress::kQueued:
      connection_->Withdraw(call.begin, call.end);
      break;
    case Progress::kPartlyWritten:
      connection_->CloseLater(absl::UnavailableError(
          "ttrpc: the server stopped reading in the middle of a call"));
      break;
    case Progress::kWritten:
      outcome = Outcome::kUnknown;
      message = "ttrpc: the server did not answer in time";
      break;
  }
  std::move(call.done)({absl::DeadlineExceededError(message), outcome});
}

// In the functions below a call of `done` comes last: it may destroy the
// client.

void Client::OnFrame(const Frame& frame) {
  const FrameHeader& header = frame.header;
  if (header.type != FrameType::kResponse && header.type != FrameType::kData) {
    return;
  }
  auto it = calls_.find(header.stream_id);
  if (it == calls_.end()) return;  // The call has ended, or was never made.
  if (ProgressOf(it->second) != Progress::kWritten) {
    connection_->CloseLater(absl::DataLossError(
        absl::StrCat("ttrpc: the server answers call ", header.stream_id,
                     ", which was not sent")));
    return;
  }
  OutstandingCall call = Take(header.stream_id);
  if (frame.oversize) {
    return std::move(call.done)({TooLarge(header.length), Outcome::kUnknown});
  }
  if (header.type == FrameType::kData) {
    return std::move(call.done)(
        {absl::InternalError("ttrpc: the server streams, where one reply was "
                             "expected"),
         Outcome::kUnknown});
  }
  wire::Response response;
  if (!response.ParseFromArray(frame.body.data(),
                               static_cast<int>(frame.body.size()))) {
    return std::move(call.done)(
        {absl::InternalError(
             absl::StrCat("ttrpc: the reply cannot be read; it begins with \"",
                          absl::CHexEscape(frame.body.substr(0, 16)), "\"")),
         Outcome::kUnknown});
  }
  absl::Status status = DecodeStatus(response.status());
  if (!status.ok()) {
    return std::move(call.done)({std::move(status), Outcome::kAnswered});
  }
  std::move(call.done)(
      {std::move(*response.mutable_payload()), Outcome::kAnswered});
}

void Client::OnClosed(const absl::Status& reason) {
  status_ = reason;
  auto calls = std::exchange(calls_, {});
  for (auto& [id, call] : calls) loop_.CancelTimer(call.timer);
  // Posted now, so that it comes after calls that were refused or cancelled
  // before and end from the loop.
  TellClosedLater();
  const std::shared_ptr<Connection> connection = connection_;
  const absl::Status why = reason;
  for (auto& [id, call] : calls) {
    // A server acts on whole frames.
    std::move(call.done)({why, call.end <= connection->written()
                                   ? Outcome::kUnknown
                                   : Outcome::kNotSent});
  }
}

void Client::WhenClosed(absl::AnyInvocable<void(absl::Status) &&> closed) {
  closed_ = std::move(closed);
  if (!status_.ok()) TellClosedLater();
}

void Client::TellClosedLater() {
  loop_.Post(alive_.Guard([this] {
    if (closed_) std::exchange(closed_, nullptr)(status_);
  }));
}

}  // namespace ttrpc
}  // namespace external_containerizer

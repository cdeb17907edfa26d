// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/session.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "external_containerizer/transport/ttrpc/metadata.h"
#include "external_containerizer/transport/ttrpc/status.h"
#include "google/protobuf/io/coded_stream.h"

namespace external_containerizer {
namespace ttrpc {
namespace internal {
namespace {

// Of a message: a larger one's memory is not kept for the next.
constexpr size_t kKeptBytes = 4 << 10;
// Of a request: the other four, and its metadata.
constexpr size_t kMaxFields = 4 + kMaxMetadata;
absl::Status TooLarge(size_t bytes) {
  return absl::ResourceExhaustedError(
      absl::StrCat("ttrpc: message length ", bytes,
                   " exceed maximum message size of ", kMaxFrameBody));
}

// False at the end of what can be read. The two ends of a group, types 3 and 4,
// have no value of their own.
bool SkipValue(google::protobuf::io::CodedInputStream& input,
               uint32_t wire_type) {
  uint64_t varint;
  uint32_t length;
  switch (wire_type) {
    case 0:
      return input.ReadVarint64(&varint);
    case 1:
      return input.Skip(8);
    case 2:
      return input.ReadVarint32(&length) && length <= kMaxFrameBody &&
             input.Skip(static_cast<int>(length));
    case 3:
    case 4:
      return true;
    case 5:
      return input.Skip(4);
    default:
      return false;
  }
}

// How many there are in a message, or in what of it can be read: before any of
// them becomes an object.
size_t FieldsOf(absl::string_view message) {
  google::protobuf::io::CodedInputStream input(
      reinterpret_cast<const uint8_t*>(message.data()),
      static_cast<int>(message.size()));
  size_t fields = 0;
  while (const uint32_t tag = input.ReadTag()) {
    if (!SkipValue(input, tag % 8)) break;
    ++fields;
  }
  return fields;
}

void CancelCall(ServerCall& call, absl::Status why) {
  call.cancelled = true;
  auto on_cancelled = std::exchange(call.on_cancelled, nullptr);
  if (on_cancelled != nullptr) std::move(on_cancelled)(std::move(why));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Session>> Session::Create(EventLoop& loop,
                                                         int fd, Peer peer,
                                                         uint64_t number,
                                                         Host& host) {
  std::unique_ptr<Session> session(new Session(loop, peer, number, host));
  Connection::Options options;
  options.stop_reading_above = host.options().stop_reading_above;
  options.stall_timeout = host.options().stall_timeout;
  options.frame_timeout = host.options().request_timeout;
  auto connection = Connection::Create(loop, fd, options, session.get());
  if (!connection.ok()) return connection.status();
  session->connection_ = *std::move(connection);
  return session;
}

Session::~Session() {
  if (connection_ != nullptr) connection_->Close();
  host_.OnHeld(-static_cast<ptrdiff_t>(held_));
  CancelAll();
}

void Session::CancelAll() {
  auto calls = std::exchange(calls_, {});
  for (auto& [id, call] : calls) {
    if (call->timer != 0) loop_.CancelTimer(call->timer);
    call->session = nullptr;
  }
  for (auto& [id, call] : calls) {
    CancelCall(*call, absl::CancelledError("ttrpc: the connection was closed"));
  }
}

void Session::OnClosed(const absl::Status& reason) {
  static_cast<void>(reason);
  host_.OnSessionClosed(this);
}

void Session::Drain() {
  draining_ = true;
  if (calls_.empty()) connection_->CloseWhenWritten();
}

// A handler comes last: it may answer, and so close the connection.
void Session::OnFrame(const Frame& frame) {
  if (!std::exchange(has_had_frame_, true)) host_.OnFirstFrame(this);
  switch (frame.header.type) {
    case FrameType::kRequest:
      return HandleRequest(frame);
    case FrameType::kData:
      return RejectData(frame.header.stream_id);
    case FrameType::kResponse:
      return;
  }
  // What a later version adds is to be ignored.
}

void Session::HandleRequest(const Frame& frame) {
  const uint32_t id = frame.header.stream_id;
  if (frame.oversize) return Reject(id, TooLarge(frame.header.length));
  if (id % 2 == 0) {
    return Reject(id, absl::InvalidArgumentError(
                          "StreamID must be odd for client initiated streams"));
  }
  if (id <= last_id_) {
    return Reject(id, absl::InvalidArgumentError(absl::StrCat(
                          "StreamID ", id, " must be greater than ", last_id_,
                          ", the last one")));
  }
  last_id_ = id;
  if ((frame.header.flags & kFlagRemoteOpen) != 0) {
    return Reject(
        id, absl::UnimplementedError("ttrpc: this server does not stream"));
  }
  if (FieldsOf(frame.body) > kMaxFields) {
    return Reject(
        id, absl::ResourceExhaustedError(absl::StrCat(
                "ttrpc: more than ", kMaxMetadata, " pairs of metadata")));
  }
  wire::Request large;
  wire::Request& request = frame.body.size() > kKeptBytes ? large : request_;
  if (!request.ParseFromArray(frame.body.data(),
                              static_cast<int>(frame.body.size()))) {
    return Reject(id, absl::InvalidArgumentError(
                          "unmarshal request error: it is no ttrpc.Request"));
  }
  const std::vector<std::string>& served = host_.options().methods_in_shutdown;
  if (draining_ && std::find(served.begin(), served.end(), request.method()) ==
                       served.end()) {
    return Reject(id, absl::UnavailableError("ttrpc: the server shuts down"));
  }
  Dispatch(id, request);
}

// An id that is in flight belongs to a call whose end this is for its caller.
void Session::Reject(uint32_t id, const absl::Status& why) {
  auto call = calls_.find(id);
  if (call != calls_.end()) {
    if (call->second->answered) return;
    call->second->answered = true;
  }
  Answer(id, why);
}

void Session::RejectData(uint32_t id) {
  Reject(id, absl::InvalidArgumentError(
                 "ttrpc: data for a stream, and this server does not stream"));
}

void Session::Dispatch(uint32_t id, wire::Request& request) {
  auto handler = host_.Find(request.service(), request.method());
  if (!handler.ok()) return Reject(id, handler.status());
  const int64_t timeout_nano = request.timeout_nano();
  if (timeout_nano < 0) {
    return Reject(
        id, absl::DeadlineExceededError("ttrpc: the caller's time had passed"));
  }
  auto call = std::make_shared<ServerCall>();
  call->loop = &loop_;
  call->session = this;
  call->id = id;
  absl::Duration timeout = absl::InfiniteDuration();
  if (timeout_nano > 0) {
    timeout = absl::Nanoseconds(timeout_nano);
    call->timer = loop_.RunAfter(
        timeout, [this, id] { Expire(calls_.find(id)->second); });
  }
  calls_.emplace(id, call);
  if (calls_.size() >= host_.options().max_in_flight) connection_->Pause();
  Metadata metadata;
  metadata.reserve(static_cast<size_t>(request.metadata_size()));
  for (wire::KeyValue& pair : *request.mutable_metadata()) {
    metadata.emplace_back(std::move(*pair.mutable_key()),
                          std::move(*pair.mutable_value()));
  }
  const Peer peer = peer_;
  (**handler)({timeout, metadata, peer, number_}, request.payload(),
              Responder(std::move(call)));
}

// The call stays in flight, and its slot taken: its handler still works.
void Session::Expire(const std::shared_ptr<ServerCall>& expired) {
  const std::shared_ptr<ServerCall> call = expired;
  call->timer = 0;
  const absl::Status why =
      absl::DeadlineExceededError("ttrpc: the handler took too long");
  Reject(call->id, why);
  CancelCall(*call, why);
}

void Session::Finish(ServerCall& call, absl::StatusOr<std::string> reply) {
  call.session = nullptr;
  call.on_cancelled = nullptr;
  if (call.timer != 0) loop_.CancelTimer(call.timer);
  const bool was_full = calls_.size() >= host_.options().max_in_flight;
  calls_.erase(call.id);
  if (was_full) connection_->Resume();
  if (!call.answered) Answer(call.id, std::move(reply));
  if (draining_ && calls_.empty()) connection_->CloseWhenWritten();
}

void Session::Answer(uint32_t id, absl::StatusOr<std::string> reply) {
  if (reply.ok()) {
    response_.clear_status();
    response_.set_payload(*std::move(reply));
  } else {
    response_.clear_payload();
    EncodeStatus(reply.status(), response_.mutable_status());
  }
  const size_t size = response_.ByteSizeLong();
  if (size > kMaxFrameBody) return Answer(id, TooLarge(size));
  connection_->Send(id, FrameType::kResponse, response_);
  if (size > kKeptBytes) response_ = wire::Response();
  if (connection_->waiting() > host_.options().max_queued) {
    connection_->CloseLater(absl::ResourceExhaustedError(
        "ttrpc: the peer does not read its replies"));
  }
}

void Session::OnTurn() {
  const size_t held = connection_->held();
  if (held == held_) return;
  const size_t before = std::exchange(held_, held);
  host_.OnHeld(static_cast<ptrdiff_t>(held) - static_cast<ptrdiff_t>(before));
}

}  // namespace internal
}  // namespace ttrpc
}  // namespace external_containerizer

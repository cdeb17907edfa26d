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

// The fields of a request: its metadata, and four others.
constexpr size_t kMaxFields = 4 + kMaxMetadata;

// Returns false if the value cannot be read. The two ends of a group, types 3
// and 4, have no value.
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

// Counts the fields of a message, as far as it can be read, before the parser
// makes objects of them.
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
                                                         Server& server) {
  std::unique_ptr<Session> session(new Session(loop, peer, number, server));
  Connection::Options options;
  options.stop_reading_above = server.options_.stop_reading_above;
  options.stall_timeout = server.options_.stall_timeout;
  auto connection = Connection::Create(loop, fd, options, session.get());
  if (!connection.ok()) return connection.status();
  session->connection_ = *std::move(connection);
  return session;
}

Session::~Session() {
  if (connection_ != nullptr) connection_->Close();
  CancelAll();
}

void Session::CancelAll() {
  auto calls = std::exchange(calls_, {});
  for (auto& [id, call] : calls) {
    loop_.CancelTimer(call->timer);
    call->session = nullptr;
  }
  for (auto& [id, call] : calls) {
    CancelCall(*call, absl::CancelledError("ttrpc: the connection was closed"));
  }
}

void Session::OnClosed(const absl::Status& reason) {
  static_cast<void>(reason);
  server_.OnClosed(number_);
}

void Session::Drain() {
  draining_ = true;
  if (calls_.empty()) connection_->CloseWhenWritten();
}

// A call of a handler comes last: it may answer, and so close the connection.
void Session::OnFrame(const Frame& frame) {
  has_had_frame_ = true;
  switch (frame.header.type) {
    case FrameType::kRequest:
      return HandleRequest(frame);
    case FrameType::kData:
      return Reject(frame.header.stream_id,
                    absl::InvalidArgumentError("ttrpc: data for a stream, and "
                                               "this server does not stream"));
    case FrameType::kResponse:
      return;
  }
  // Later versions may add types, which are ignored.
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
  wire::Request request;
  if (!request.ParseFromArray(frame.body.data(),
                              static_cast<int>(frame.body.size()))) {
    return Reject(id, absl::InvalidArgumentError(
                          "unmarshal request error: it is no ttrpc.Request"));
  }
  const std::vector<std::string>& served = server_.options_.methods_in_shutdown;
  if (draining_ && std::find(served.begin(), served.end(), request.method()) ==
                       served.end()) {
    return Reject(id, absl::UnavailableError("ttrpc: the server shuts down"));
  }
  Dispatch(id, request);
}

// If the id is in flight, this is the answer to that call.
void Session::Reject(uint32_t id, const absl::Status& why) {
  auto call = calls_.find(id);
  if (call != calls_.end()) {
    if (call->second->answered) return;
    call->second->answered = true;
  }
  Answer(id, why);
}

void Session::Dispatch(uint32_t id, wire::Request& request) {
  auto handler = server_.Find(request.service(), request.method());
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
  if (calls_.size() >= server_.options_.max_in_flight) connection_->Pause();
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

// The call stays in flight and keeps its slot, because its handler still works.
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
  loop_.CancelTimer(call.timer);
  const bool was_full = calls_.size() >= server_.options_.max_in_flight;
  calls_.erase(call.id);
  if (was_full) connection_->Resume();
  if (!call.answered) Answer(call.id, std::move(reply));
  if (draining_ && calls_.empty()) connection_->CloseWhenWritten();
}

void Session::Answer(uint32_t id, absl::StatusOr<std::string> reply) {
  wire::Response response;
  if (reply.ok()) {
    response.set_payload(*std::move(reply));
  } else {
    EncodeStatus(reply.status(), response.mutable_status());
  }
  const size_t size = response.ByteSizeLong();
  if (size > kMaxFrameBody) return Answer(id, TooLarge(size));
  connection_->Send(id, FrameType::kResponse, response);
}

}  // namespace internal
}  // namespace ttrpc
}  // namespace external_containerizer

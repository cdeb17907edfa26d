// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/time/time.h"
#include "external_containerizer/transport/linux/clock.h"

namespace external_containerizer {
namespace ttrpc {

void RunUntil(EventLoop& loop, absl::AnyInvocable<bool()> condition) {
  const Deadline deadline(absl::Seconds(60));
  while (!condition()) {
    if (deadline.Expired()) {
      ADD_FAILURE() << "what the test waits for does not happen";
      return;
    }
    loop.RunAfter(absl::Milliseconds(1), [&] { loop.Stop(); });
    loop.Run();
  }
}

std::string EncodeFrame(uint32_t id, FrameType type, absl::string_view body) {
  FrameHeader header;
  header.length = static_cast<uint32_t>(body.size());
  header.stream_id = id;
  header.type = type;
  const auto raw = EncodeHeader(header);
  return std::string(raw.data(), raw.size()) + std::string(body);
}

std::string RequestFrame(uint32_t id, absl::string_view service,
                         absl::string_view method, absl::string_view payload,
                         int64_t timeout_nano) {
  wire::Request request;
  request.set_service(std::string(service));
  request.set_method(std::string(method));
  request.set_payload(std::string(payload));
  request.set_timeout_nano(timeout_nano);
  return EncodeFrame(id, FrameType::kRequest, request.SerializeAsString());
}

std::string ReplyFrame(uint32_t id, absl::string_view payload) {
  wire::Response response;
  response.set_payload(std::string(payload));
  return EncodeFrame(id, FrameType::kResponse, response.SerializeAsString());
}

wire::Request SeenFrame::AsRequest() const {
  wire::Request request;
  EXPECT_EQ(type, FrameType::kRequest);
  EXPECT_TRUE(request.ParseFromString(body));
  return request;
}

wire::Response SeenFrame::AsResponse() const {
  wire::Response response;
  EXPECT_EQ(type, FrameType::kResponse);
  EXPECT_TRUE(response.ParseFromString(body));
  return response;
}

RawPeer::RawPeer() {
  int fds[2] = {-1, -1};
  EXPECT_EQ(
      socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds),
      0);
  fd_ = fds[0];
  other_ = fds[1];
}

RawPeer::~RawPeer() {
  Close();
  if (other_ >= 0) close(other_);
}

void RawPeer::Close() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

size_t RawPeer::WriteSome(absl::string_view bytes) {
  const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return n < 0 ? 0 : static_cast<size_t>(n);
}

void RawPeer::Write(EventLoop& loop, absl::string_view bytes) {
  bytes.remove_prefix(WriteSome(bytes));
  if (bytes.empty()) return;
  RunUntil(loop, [&] {
    bytes.remove_prefix(WriteSome(bytes));
    return bytes.empty() || AtEnd();
  });
}

bool RawPeer::Receive() {
  char buffer[64 << 10];
  const ssize_t n = recv(fd_, buffer, sizeof(buffer), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  if (n <= 0) {
    end_ = true;
    return false;
  }
  absl::string_view input(buffer, static_cast<size_t>(n));
  Frame frame;
  while (reader_.Next(input, frame) == FrameReader::State::kFrame) {
    frames_.push_back(
        {frame.header.stream_id, frame.header.type, std::string(frame.body)});
  }
  return true;
}

SeenFrame RawPeer::Read(EventLoop& loop) {
  RunUntil(loop, [&] {
    while (frames_.empty() && Receive()) {
    }
    return !frames_.empty() || end_;
  });
  if (frames_.empty()) return {0, FrameType{0}, ""};
  SeenFrame frame = std::move(frames_.front());
  frames_.pop_front();
  return frame;
}

bool RawPeer::Poll() {
  if (frames_.empty() && !end_) Receive();
  return !frames_.empty() || end_;
}

bool RawPeer::AtEnd() {
  while (!end_ && Receive()) {
  }
  return end_;
}

}  // namespace ttrpc
}  // namespace external_containerizer

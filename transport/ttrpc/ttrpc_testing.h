// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Support for tests: runs a loop until a condition holds, and a peer whose
// every byte the test decides.

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_TTRPC_TESTING_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_TTRPC_TESTING_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <ostream>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/frame.h"
#include "external_containerizer/transport/ttrpc/ttrpc.pb.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace ttrpc {

// Runs the loop until `condition` holds; a failure of the test after 60 s.
void RunUntil(EventLoop& loop, absl::AnyInvocable<bool()> condition);

std::string EncodeFrame(uint32_t id, FrameType type, absl::string_view body);
std::string RequestFrame(uint32_t id, absl::string_view service,
                         absl::string_view method, absl::string_view payload,
                         int64_t timeout_nano = 0);
std::string ReplyFrame(uint32_t id, absl::string_view payload);

struct SeenFrame {
  uint32_t id = 0;
  FrameType type = FrameType::kRequest;
  std::string body;

  wire::Request AsRequest() const;
  wire::Response AsResponse() const;
};

// One end of a connection, whose frames the test writes and reads.
class RawPeer {
 public:
  // Makes a pair; the other end is taken with TakeOther().
  RawPeer();
  // Speaks on `fd`, and owns it.
  explicit RawPeer(int fd) : fd_(fd), other_(-1) {}
  RawPeer(RawPeer&& peer) noexcept
      : fd_(std::exchange(peer.fd_, -1)),
        other_(std::exchange(peer.other_, -1)) {}
  ~RawPeer();

  int TakeOther() { return std::exchange(other_, -1); }

  // Runs the loop until all of it is written.
  void Write(EventLoop& loop, absl::string_view bytes);
  // Writes what fits at once; returns how much.
  size_t WriteSome(absl::string_view bytes);

  // Runs the loop until a frame has come, or the end of the stream: then its
  // type is 0.
  SeenFrame Read(EventLoop& loop);
  // Takes a little of what has come; whether Read() would return at once.
  bool Poll();
  // Whether the other end has closed; what has come before is still read.
  bool AtEnd();
  void Close();

 private:
  bool Receive();

  int fd_;
  int other_;
  FrameReader reader_;
  std::deque<SeenFrame> frames_;
  bool end_ = false;
};

}  // namespace ttrpc
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_TTRPC_TTRPC_TESTING_H_

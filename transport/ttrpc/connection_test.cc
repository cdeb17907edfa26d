// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/connection.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/frame.h"
#include "external_containerizer/transport/ttrpc/ttrpc.pb.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr size_t kTooMuch = 1 << 20;  // For what the kernel takes.

wire::Status Body(std::string text) {
  wire::Status body;
  body.set_message(std::move(text));
  return body;
}

class ConnectionTest : public ::testing::Test, public Connection::Delegate {
 protected:
  void Open(Connection::Options options = {}) {
    connection_ = *Connection::Create(*loop_, peer_.TakeOther(), options, this);
  }

  void OnFrame(const Frame& frame) override {
    ids_.push_back(frame.header.stream_id);
    if (pause_at_ == frame.header.stream_id) connection_->Pause();
    if (close_at_ == frame.header.stream_id) connection_->Close();
  }
  void OnClosed(const absl::Status& reason) override {
    closed_.push_back(reason);
  }

  void Send(uint32_t id, std::string text) {
    connection_->Send(id, FrameType::kRequest, Body(std::move(text)));
  }

  void Turns() {
    int turns = 0;
    RunUntil(*loop_, [&] { return ++turns > 3; });
  }

  void ExpectClosed(absl::StatusCode code, absl::string_view message) {
    RunUntil(*loop_, [&] { return !closed_.empty(); });
    Turns();
    ASSERT_EQ(closed_.size(), 1u);
    EXPECT_THAT(closed_[0], StatusIs(code, HasSubstr(std::string(message))));
    EXPECT_TRUE(connection_->closed());
  }

  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  RawPeer peer_;
  std::shared_ptr<Connection> connection_;
  std::vector<uint32_t> ids_;
  uint32_t pause_at_ = 0;
  uint32_t close_at_ = 0;
  std::vector<absl::Status> closed_;
};

TEST_F(ConnectionTest, WhatIsSentInOneTurnLeavesInOneWrite) {
  // On a SOCK_SEQPACKET socket every write is a packet.
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
                       0, fds),
            0);
  connection_ = *Connection::Create(*loop_, fds[0], {}, this);
  constexpr uint32_t kFrames = 64;
  for (uint32_t id = 1; id <= kFrames; ++id) Send(id, "body");
  const uint64_t queued = connection_->queued();
  EXPECT_EQ(connection_->written(), 0u);
  RunUntil(*loop_, [&] { return connection_->written() == queued; });
  char buffer[4096];
  EXPECT_EQ(recv(fds[1], buffer, sizeof(buffer), 0),
            static_cast<ssize_t>(queued));
  EXPECT_EQ(recv(fds[1], buffer, sizeof(buffer), 0), -1);
  close(fds[1]);
}

TEST_F(ConnectionTest, WhatDoesNotFitIsWrittenAsThePeerReads) {
  Open();
  for (uint32_t id = 1; id <= 5; ++id) Send(id, std::string(kTooMuch, 'x'));
  Turns();
  EXPECT_GT(connection_->written(), 0u);
  EXPECT_GT(connection_->waiting(), 4 * kTooMuch);
  for (uint32_t id = 1; id <= 5; ++id) {
    EXPECT_EQ(peer_.Read(*loop_).id, id);
  }
  EXPECT_EQ(connection_->waiting(), 0u);
}

TEST_F(ConnectionTest, WithdrawnFrameIsNeverWritten) {
  Open();
  Send(1, std::string(kTooMuch, 'x'));
  Turns();
  std::vector<uint64_t> ends = {connection_->queued()};
  for (uint32_t id = 2; id <= 6; ++id) {
    Send(id, absl::StrCat("number ", id));
    ends.push_back(connection_->queued());
  }
  connection_->Withdraw(ends[1], ends[2]);
  connection_->Withdraw(ends[0], ends[1]);
  connection_->Withdraw(ends[4], ends[5]);
  for (uint32_t id : {1u, 4u, 5u}) EXPECT_EQ(peer_.Read(*loop_).id, id);
  RunUntil(*loop_, [&] { return connection_->waiting() == 0; });
  EXPECT_EQ(connection_->written(), ends[5]);
  Send(7, "next");
  EXPECT_EQ(peer_.Read(*loop_).id, 7u);
}

TEST_F(ConnectionTest, FramesThatHaveComeWaitWhilePaused) {
  Open();
  pause_at_ = 2;
  std::string frames;
  for (uint32_t id = 1; id <= 4; ++id) {
    frames += EncodeFrame(id, FrameType::kRequest, "body");
  }
  peer_.Write(*loop_, frames.substr(0, frames.size() - 1));
  Turns();
  EXPECT_THAT(ids_, ElementsAre(1, 2));
  connection_->Resume();
  Turns();
  EXPECT_THAT(ids_, ElementsAre(1, 2, 3));
  peer_.Write(*loop_, frames.substr(frames.size() - 1));
  RunUntil(*loop_, [&] { return ids_.size() == 4; });
}

TEST_F(ConnectionTest, ConnectionIsNotReadWhileTooMuchWaits) {
  Connection::Options options;
  options.stop_reading_above = 1000;
  Open(options);
  Send(1, std::string(kTooMuch, 'x'));
  Turns();
  peer_.Write(*loop_, EncodeFrame(7, FrameType::kRequest, ""));
  Turns();
  EXPECT_THAT(ids_, IsEmpty());
  EXPECT_EQ(peer_.Read(*loop_).id, 1u);
  RunUntil(*loop_, [&] { return !ids_.empty(); });
}

TEST_F(ConnectionTest, PeerThatTakesNothingIsGivenUp) {
  Connection::Options options;
  options.stall_timeout = absl::Milliseconds(20);
  Open(options);
  peer_.Write(*loop_, EncodeFrame(1, FrameType::kRequest, ""));
  RunUntil(*loop_, [&] { return ids_.size() == 1; });
  Send(1, std::string(kTooMuch, 'x'));
  ExpectClosed(absl::StatusCode::kDeadlineExceeded, "has read nothing");
}

TEST_F(ConnectionTest, PeerThatReadsSlowlyIsNotGivenUp) {
  Connection::Options options;
  options.stall_timeout = absl::Milliseconds(300);
  Open(options);
  peer_.Write(*loop_, EncodeFrame(1, FrameType::kRequest, ""));
  const std::string body(kMaxFrameBody - 16, 'x');
  Send(1, body);
  // Far longer than the timeout in all, and never that long without a byte.
  int rounds = 0;
  bool due = true;
  RunUntil(*loop_, [&] {
    if (!due) return false;
    due = false;
    loop_->RunAfter(absl::Milliseconds(10), [&] { due = true; });
    ++rounds;
    return peer_.Poll();
  });
  EXPECT_GT(rounds, 40);
  EXPECT_THAT(closed_, IsEmpty());
  EXPECT_EQ(peer_.Read(*loop_).id, 1u);
}

TEST_F(ConnectionTest, EndOfTheStreamClosesOnce) {
  Open();
  peer_.Write(*loop_, EncodeFrame(1, FrameType::kRequest, "body"));
  peer_.Close();
  ExpectClosed(absl::StatusCode::kUnavailable, "the peer closed");
  EXPECT_THAT(ids_, ElementsAre(1));
}

TEST_F(ConnectionTest, WhatCameBeforeAFailedWriteIsStillDelivered) {
  Open();
  Send(9, "to nobody");
  ASSERT_GT(peer_.WriteSome(EncodeFrame(1, FrameType::kRequest, "body")), 0u);
  peer_.Close();
  ExpectClosed(absl::StatusCode::kUnavailable, "");
  EXPECT_THAT(ids_, ElementsAre(1));
}

TEST_F(ConnectionTest, ClosedInsideAFrameDeliversNoMoreAndTellsNobody) {
  Open();
  close_at_ = 2;
  std::string frames;
  for (uint32_t id = 1; id <= 4; ++id) {
    frames += EncodeFrame(id, FrameType::kRequest, "body");
  }
  peer_.Write(*loop_, frames);
  RunUntil(*loop_, [&] { return peer_.AtEnd(); });
  EXPECT_THAT(ids_, ElementsAre(1, 2));
  EXPECT_THAT(closed_, IsEmpty());
}

TEST_F(ConnectionTest, CloseWhenWrittenWritesAllFirst) {
  Open();
  Send(1, std::string(kTooMuch, 'x'));
  Send(3, "last");
  connection_->CloseWhenWritten();
  Turns();
  EXPECT_THAT(closed_, IsEmpty());
  EXPECT_EQ(peer_.Read(*loop_).id, 1u);
  EXPECT_EQ(peer_.Read(*loop_).id, 3u);
  RunUntil(*loop_, [&] { return peer_.AtEnd(); });
  ExpectClosed(absl::StatusCode::kCancelled, "after the last reply");
}

TEST_F(ConnectionTest, CloseLaterClosesFromTheLoopWithItsFirstReason) {
  Open();
  connection_->CloseLater(absl::InternalError("first"));
  connection_->CloseLater(absl::InternalError("second"));
  EXPECT_THAT(closed_, IsEmpty());
  ExpectClosed(absl::StatusCode::kInternal, "first");
}

TEST_F(ConnectionTest, ClosedConnectionTakesEverythingAndDoesNothing) {
  Open();
  connection_->Close();
  Send(1, "x");
  connection_->Withdraw(0, 5);
  connection_->CloseLater(absl::InternalError("why"));
  connection_->CloseWhenWritten();
  connection_->Resume();
  Turns();
  EXPECT_EQ(connection_->written(), 0u);
  EXPECT_THAT(closed_, IsEmpty());
}

TEST_F(ConnectionTest, DescriptorOfTheCallerIsMadeNonBlocking) {
  int fds[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  connection_ = *Connection::Create(*loop_, fds[0], {}, this);
  EXPECT_NE(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
  close(fds[1]);
  ExpectClosed(absl::StatusCode::kUnavailable, "the peer closed");
}

TEST_F(ConnectionTest, DescriptorThatIsNoneFails) {
  EXPECT_FALSE(Connection::Create(*loop_, -1, {}, this).ok());
}

}  // namespace
}  // namespace ttrpc
}  // namespace external_containerizer

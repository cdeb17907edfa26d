// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The bounds of a server for peers that send much and read little.

#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/ttrpc/server_testing.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

using std::string_literals::operator""s;

TEST_F(ServerTest, ConnectionIsNotReadWhileTooManyCallsAreInFlight) {
  ServerOptions options;
  options.max_in_flight = 3;
  Start(options);
  RawPeer peer = Connect();
  std::string requests;
  for (uint32_t id = 1; id < 20; id += 2) {
    requests += RequestFrame(id, kService, "Keep", "");
  }
  peer.Write(*loop_, requests);
  RunUntil(*loop_, [&] { return kept_.size() >= 3; });
  RawPeer other = Connect();
  ExpectEcho(other, 1);
  EXPECT_EQ(kept_.size(), 3u);
  for (uint32_t i = 0; i < 10; ++i) {
    RunUntil(*loop_, [&] { return kept_.size() > i; });
    EXPECT_LE(server_->in_flight(), 3u);
    kept_[i].Finish(absl::StrCat(i));
    EXPECT_EQ(peer.Read(*loop_).id, 2 * i + 1);
  }
}

TEST_F(ServerTest, ConnectionThatIsNotReadIsStillSeenToClose) {
  ServerOptions options;
  options.max_in_flight = 1;
  Start(options);
  RawPeer peer = Connect();
  peer.Write(*loop_, RequestFrame(1, kService, "Keep", "") +
                         RequestFrame(3, kService, "Keep", ""));
  RunUntil(*loop_, [&] { return kept_.size() == 1; });
  peer.Close();
  RunUntil(*loop_, [&] { return server_->connections() == 0; });
  EXPECT_TRUE(kept_[0].cancelled());
}

TEST_F(ServerTest, PeerThatNeverReadsIsBoundedAndThenClosed) {
  ServerOptions options;
  options.stop_reading_above = 1 << 20;
  options.stall_timeout = absl::Milliseconds(100);
  Start(options);
  RawPeer other = Connect();
  ExpectEcho(other, 1);
  RawPeer peer = Connect();
  // Asks for far more than is ever held for it.
  constexpr size_t kPayload = 64 << 10;
  const std::string payload(kPayload, 'x');
  uint32_t id = 1;
  std::string pending;
  size_t asked = 0;
  while (server_->connections() == 2 && asked < 1000) {
    if (pending.empty()) {
      pending = RequestFrame(id, kService, "Echo", payload);
      id += 2;
      ++asked;
    }
    pending.erase(0, peer.WriteSome(pending));
    loop_->Post([&] { loop_->Stop(); });
    loop_->Run();
  }
  EXPECT_EQ(server_->connections(), 1u);
  // The queue, the kernel's buffers, and one more.
  EXPECT_LT(static_cast<size_t>(echoes_) * kPayload, 3u << 20);
  EXPECT_LT(asked, 1000u);
  ExpectEcho(other, 3);
}

TEST_F(ServerTest, RequestsThatComeTogetherWaitForTheirRepliesToBeRead) {
  ServerOptions options;
  options.stop_reading_above = 1 << 20;
  Start(options);
  int handled = 0;
  server_->AddHandler(
      kService, "Grow",
      [&](const CallContext&, absl::string_view, Responder responder) {
        ++handled;
        responder.Finish(std::string(64 << 10, 'x'));
      });
  RawPeer peer = Connect();
  // All of them fit into one read, all of the replies would be 32 MiB.
  constexpr int kCalls = 500;
  std::string requests;
  for (uint32_t i = 0; i < kCalls; ++i) {
    requests += RequestFrame(2 * i + 1, kService, "Grow", "");
  }
  ASSERT_LT(requests.size(), 64u << 10);
  peer.Write(*loop_, requests);
  int turns = 0;
  RunUntil(*loop_, [&] { return ++turns > 10; });
  EXPECT_GT(handled, 10);
  EXPECT_LT(handled, 40);
  for (uint32_t i = 0; i < kCalls; ++i) {
    EXPECT_EQ(peer.Read(*loop_).id, 2 * i + 1);
  }
}

TEST_F(ServerTest, RepliesBeyondTheBoundCloseTheConnection) {
  ServerOptions options;
  options.stall_timeout = absl::InfiniteDuration();
  options.max_held = 2 << 20;
  Start(options);
  RawPeer peer = Connect();
  std::string requests;
  for (uint32_t id = 1; id < 20; id += 2) {
    requests += RequestFrame(id, kService, "Keep", "");
  }
  peer.Write(*loop_, requests);
  RunUntil(*loop_, [&] { return kept_.size() == 10; });
  for (Responder& responder : kept_) {
    responder.Finish(std::string(1 << 20, 'x'));
  }
  RunUntil(*loop_, [&] { return server_->connections() == 0; });
}

size_t Resident() { return ReadProcStat(getpid())->rss_bytes; }

class HeldBytesTest : public ServerTest {
 protected:
  HeldBytesTest() {
    ServerOptions options;
    options.max_held = 8 << 20;
    options.stall_timeout = absl::InfiniteDuration();
    Start(options);
  }

  static constexpr size_t kMiB = 1 << 20;
};

TEST_F(HeldBytesTest, RequestsCutShortOnManyConnectionsCloseTheLargest) {
  RawPeer other = Connect();
  RawPeer largest = Connect();
  const std::string request =
      RequestFrame(1, kService, "Echo", std::string(4 * kMiB - 100, 'x'));
  // Up to twice as much is held for what has come.
  const size_t part = 5 * kMiB / 4;
  largest.Write(*loop_, request.substr(0, 3 * kMiB));
  std::vector<RawPeer> peers;
  for (int i = 0; i < 20; ++i) {
    peers.push_back(Connect());
    peers.back().Write(*loop_, request.substr(0, part));
    ExpectEcho(other, 2 * static_cast<uint32_t>(i) + 1);
    EXPECT_LE(server_->connections(), 2u + 8 * kMiB / part);
  }
  EXPECT_TRUE(largest.AtEnd());
  // Connections that were not closed are still served.
  int served = 0;
  for (RawPeer& peer : peers) {
    if (peer.AtEnd()) continue;
    peer.Write(*loop_, request.substr(part));
    if (peer.Read(*loop_).id == 1) ++served;
  }
  EXPECT_GE(served, 1);
}

TEST_F(HeldBytesTest, RepliesThatManyDoNotReadCloseTheLargest) {
  RawPeer other = Connect();
  std::vector<RawPeer> peers;
  for (uint32_t i = 0; i < 20; ++i) {
    peers.push_back(Connect());
    peers.back().Write(*loop_, RequestFrame(1, kService, "Keep", ""));
    RunUntil(*loop_, [&] { return kept_.size() == i + 1; });
    kept_.back().Finish(std::string(2 * kMiB + i, 'x'));
    ExpectEcho(other, 2 * i + 1);
    EXPECT_LE(server_->connections(), 1u + 5u);
  }
  int answered = 0;
  for (RawPeer& peer : peers) {
    if (peer.Read(*loop_).id == 1) ++answered;
  }
  EXPECT_GE(answered, 3);
}

TEST_F(HeldBytesTest, SmallPartsOfManyRequestsCountToo) {
  const std::string part =
      RequestFrame(1, kService, "Echo", std::string(kMiB, 'x'))
          .substr(0, 60 << 10);
  std::vector<RawPeer> peers;
  for (int i = 0; i < 300; ++i) {
    peers.push_back(Connect());
    peers.back().Write(*loop_, part);
    Turn();
  }
  EXPECT_LE(server_->connections(), (8 * kMiB) / part.size() + 2);
}

TEST_F(HeldBytesTest, MemoryOfRequestsCutShortIsGivenBack) {
  ServerOptions options;
  options.max_connections = 2000;
  Start(options);
  const std::string part =
      RequestFrame(1, kService, "Echo", std::string(kMiB, 'x'))
          .substr(0, 60 << 10);
  const size_t before = Resident();
  std::vector<RawPeer> peers;
  for (int i = 0; i < 1000; ++i) {
    peers.push_back(Connect());
    peers.back().Write(*loop_, part);
    Turn();
  }
  const size_t at_most = Resident();
  ASSERT_GT(at_most - before, 40 * kMiB);
  // The last one stays, and what it has is behind the others in memory.
  for (size_t i = 0; i + 1 < peers.size(); ++i) peers[i].Close();
  RunUntil(*loop_, [&] { return server_->connections() == 1; });
  Turn();
  EXPECT_LT(Resident(), before + (at_most - before) / 4);
}

TEST_F(ServerTest, ConnectionsWithoutARequestShutNobodyOut) {
  ServerOptions options;
  options.max_connections = 4;
  Start(options);
  RawPeer served = Connect();
  ExpectEcho(served, 1);
  std::vector<RawPeer> silent;
  for (int i = 0; i < 20; ++i) {
    silent.push_back(Connect());
    if (i % 2 == 0) silent.back().Write(*loop_, "\0\0"s);
  }
  RawPeer late = Connect();
  ExpectEcho(late, 1);
  ExpectEcho(served, 3);
  EXPECT_TRUE(silent[0].AtEnd());
  EXPECT_FALSE(silent.back().AtEnd());
  // A connection that has sent a request is not closed for a new one.
  RawPeer third = Connect();
  ExpectEcho(third, 1);
  RawPeer fourth = Connect();
  ExpectEcho(fourth, 1);
  RawPeer refused;
  EXPECT_THAT(server_->Adopt(refused.TakeOther()),
              StatusIs(absl::StatusCode::kResourceExhausted));
  ExpectEcho(served, 5);
}

TEST_F(ServerTest, RequestThatDoesNotComeOrNotWholeClosesItsConnection) {
  ServerOptions options;
  options.stall_timeout = absl::Milliseconds(50);
  Start(options);
  RawPeer idle = Connect();
  ExpectEcho(idle, 1);
  RawPeer silent = Connect();
  RawPeer half = Connect();
  ExpectEcho(half, 1);
  half.Write(*loop_, RequestFrame(3, kService, "Echo", "ping").substr(0, 12));
  ExpectClosed(silent);
  ExpectClosed(half);
  EXPECT_EQ(server_->connections(), 1u);
  ExpectEcho(idle, 3);
}

TEST_F(ServerTest, RequestThatTheServerDoesNotReadHasTime) {
  ServerOptions options;
  options.stall_timeout = absl::Milliseconds(50);
  options.max_in_flight = 1;
  Start(options);
  RawPeer peer = Connect();
  const std::string second = RequestFrame(3, kService, "Echo", "ping");
  peer.Write(*loop_, RequestFrame(1, kService, "Keep", "") +
                         second.substr(0, second.size() - 1));
  RunUntil(*loop_, [&] { return kept_.size() == 1; });
  bool passed = false;
  loop_->RunAfter(absl::Milliseconds(200), [&] { passed = true; });
  RunUntil(*loop_, [&] { return passed; });
  peer.Write(*loop_, second.substr(second.size() - 1));
  kept_[0].Finish("kept");
  EXPECT_EQ(peer.Read(*loop_).id, 1u);
  EXPECT_EQ(peer.Read(*loop_).id, 3u);
}

TEST_F(ServerTest, SlowReaderOfManyLargeRepliesGetsAllOfThem) {
  RawPeer peer = Connect();
  const std::string payload(1 << 20, 'x');
  constexpr uint32_t kCalls = 30;
  std::string requests;
  for (uint32_t i = 0; i < kCalls; ++i) {
    requests += RequestFrame(2 * i + 1, kService, "Echo", payload);
  }
  // Reads no more than it must to get rid of its requests.
  absl::string_view rest = requests;
  for (uint32_t i = 0; i < kCalls; ++i) {
    const SeenFrame seen = ReadWhileWriting(peer, rest);
    EXPECT_EQ(seen.id, 2 * i + 1);
    EXPECT_EQ(seen.AsResponse().payload().size(), payload.size());
  }
}

}  // namespace
}  // namespace ttrpc
}  // namespace external_containerizer

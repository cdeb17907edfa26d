// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Listening, connections of other users, and shutdown.

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/ttrpc/server_testing.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

using ::testing::HasSubstr;

class ListeningServerTest : public ServerTest {
 protected:
  ListeningServerTest() {
    std::string pattern = ::testing::TempDir() + "/server.XXXXXX";
    path_ = std::string(mkdtemp(pattern.data())) + "/s";
  }

  void Listen(ServerOptions options) {
    Start(std::move(options));
    auto listener = ListenUnix(path_);
    ASSERT_THAT(listener, IsOk());
    listener_ = *listener;
    ASSERT_THAT(server_->Listen(listener_), IsOk());
  }

  RawPeer Dial() {
    auto fd = ConnectUnix(path_);
    EXPECT_THAT(fd.status(), IsOk());
    return RawPeer(fd.ok() ? *fd : -1);
  }

  std::string path_;
  int listener_ = -1;  // The server's.
};

TEST_F(ListeningServerTest, ConnectionsAreAcceptedAndServed) {
  Listen({});
  RawPeer first = Dial();
  RawPeer second = Dial();
  ExpectEcho(second, 1);
  ExpectEcho(first, 1);
  EXPECT_EQ(server_->connections(), 2u);
}

TEST_F(ListeningServerTest, AnotherUserIsDisconnected) {
  ServerOptions options;
  options.allowed_uids = {geteuid() + 1};
  Listen(options);
  RawPeer peer = Dial();
  ExpectClosed(peer);
  EXPECT_EQ(server_->connections(), 0u);
  options.allow_any_uid = true;
  unlink(path_.c_str());
  Listen(options);
  RawPeer welcome = Dial();
  ExpectEcho(welcome, 1);
}

TEST_F(ListeningServerTest, TooManyConnectionsAreClosedAndTheFirstGoOn) {
  ServerOptions options;
  options.max_connections = 20;
  Listen(options);
  std::vector<RawPeer> first;
  for (int i = 0; i < 20; ++i) {
    first.push_back(Dial());
    ExpectEcho(first.back(), 1);
  }
  for (int i = 0; i < 2000; ++i) {
    RawPeer more = Dial();
    if (i % 100 == 0) ExpectClosed(more);
    EXPECT_LE(server_->connections(), 20u);
    loop_->Post([&] { loop_->Stop(); });
    loop_->Run();
  }
  for (RawPeer& peer : first) ExpectEcho(peer, 3);
  first.clear();
  RunUntil(*loop_, [&] { return server_->connections() == 0; });
  RawPeer again = Dial();
  ExpectEcho(again, 1);
}

TEST_F(ListeningServerTest, TenThousandConnectionsAreBoundedAndClosedAgain) {
  Listen({});
  RawPeer first = Dial();
  ExpectEcho(first, 1);
  constexpr size_t kConnections = 10'000;
  std::vector<RawPeer> peers;
  // As many at a time as there are descriptors for, and half of them in the
  // middle of a frame.
  const std::string request = RequestFrame(1, kService, "Echo", "ping");
  for (size_t i = 0; i < kConnections; ++i) {
    if (peers.size() == 2500) peers.clear();
    auto fd = ConnectUnix(path_);
    while (absl::IsUnavailable(fd.status())) {  // Its queue is full.
      Turn();
      fd = ConnectUnix(path_);
    }
    ASSERT_THAT(fd, IsOk());
    peers.emplace_back(*fd);
    if (i % 2 == 0) peers.back().WriteSome(request.substr(0, i % 40));
    EXPECT_LE(server_->connections(), ServerOptions().max_connections);
  }
  ExpectEcho(first, 3);
  peers.clear();
  RunUntil(*loop_, [&] { return server_->connections() == 1; });
  RawPeer again = Dial();
  ExpectEcho(again, 1);
}

class NoDescriptorsTest : public ListeningServerTest {
 protected:
  NoDescriptorsTest() {
    EXPECT_EQ(getrlimit(RLIMIT_NOFILE, &usual_), 0);
    Listen({});
    for (int i = 0; i < 3; ++i) waiting_.push_back(Dial());
    const rlimit none = {0, usual_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~NoDescriptorsTest() override { Restore(); }

  void Restore() { EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &usual_), 0); }

  void RunFor(absl::Duration duration) {
    loop_->RunAfter(duration, [&] { loop_->Stop(); });
    loop_->Run();
  }

  rlimit usual_ = {};
  std::vector<RawPeer> waiting_;
};

TEST_F(NoDescriptorsTest, WhoConnectsWaitsUntilThereAreSomeAgain) {
  // Processor time: the server does not spin meanwhile.
  const clock_t start = clock();
  RunFor(absl::Milliseconds(500));
  EXPECT_LT(clock() - start, CLOCKS_PER_SEC / 10);
  EXPECT_EQ(server_->connections(), 0u);
  Restore();
  for (RawPeer& peer : waiting_) ExpectEcho(peer, 1);
}

TEST_F(NoDescriptorsTest, ServerMayEndMeanwhile) {
  RunFor(absl::Milliseconds(10));
  server_ = nullptr;
  RunFor(absl::Milliseconds(100));
  for (RawPeer& peer : waiting_) EXPECT_TRUE(peer.AtEnd());
}

TEST_F(ListeningServerTest, SocketThatDoesNotListenIsRefused) {
  RawPeer peer;
  EXPECT_THAT(server_->Listen(peer.TakeOther()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("does not listen")));
  EXPECT_TRUE(peer.AtEnd());
}

TEST_F(ListeningServerTest, NewListenerTakesThePlaceOfTheOldOne) {
  Listen({});
  EXPECT_THAT(server_->Listen(*ListenUnix(path_ + "2")), IsOk());
  EXPECT_THAT(ConnectUnix(path_).status(),
              StatusIs(absl::StatusCode::kUnavailable));
  const auto connected = ConnectUnix(path_ + "2");
  ASSERT_THAT(connected, IsOk());
  RunUntil(*loop_, [&] { return server_->connections() == 1; });
  close(*connected);
}

TEST_F(ListeningServerTest, ShutdownThatIsCutShortTellsNobody) {
  Listen({});
  server_->Shutdown([] { ADD_FAILURE(); });
  server_ = nullptr;
  Turn();
}

TEST_F(ListeningServerTest, ServerThatShutsDownTakesNoMoreConnections) {
  Listen({});
  RawPeer busy = Dial();
  busy.Write(*loop_, RequestFrame(1, kService, "Keep", ""));
  RunUntil(*loop_, [&] { return kept_.size() == 1; });
  server_->Shutdown([] {});
  RawPeer late;
  EXPECT_THAT(server_->Adopt(late.TakeOther()),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       HasSubstr("shutting down")));
  EXPECT_TRUE(late.AtEnd());
}

TEST_F(ListeningServerTest, ShutdownAnswersWhatIsInFlightAndRefusesTheRest) {
  Listen({});
  RawPeer busy = Dial();
  RawPeer idle = Dial();
  ExpectEcho(idle, 1);
  busy.Write(*loop_, RequestFrame(1, kService, "Keep", ""));
  RunUntil(*loop_, [&] { return kept_.size() == 1; });
  bool done = false;
  server_->Shutdown([&] { done = true; });
  ExpectClosed(idle);
  EXPECT_FALSE(done);
  EXPECT_THAT(ConnectUnix(path_), StatusIs(absl::StatusCode::kUnavailable));
  busy.Write(*loop_, RequestFrame(3, kService, "Echo", ""));
  ExpectError(busy, 3, absl::StatusCode::kUnavailable, "shuts down");
  kept_[0].Finish(std::string(1 << 20, 'x'));
  EXPECT_EQ(busy.Read(*loop_).AsResponse().payload().size(), 1u << 20);
  ExpectClosed(busy);
  RunUntil(*loop_, [&] { return done; });
}

TEST_F(ListeningServerTest, ShutdownStillServesWhatEndsTheRest) {
  ServerOptions options;
  options.methods_in_shutdown = {"Echo"};
  Listen(options);
  RawPeer peer = Dial();
  peer.Write(*loop_, RequestFrame(1, kService, "Keep", ""));
  RunUntil(*loop_, [&] { return kept_.size() == 1; });
  bool done = false;
  server_->Shutdown([&] { done = true; });
  ExpectEcho(peer, 3);
  peer.Write(*loop_, RequestFrame(5, kService, "Keep", ""));
  ExpectError(peer, 5, absl::StatusCode::kUnavailable, "shuts down");
  kept_[0].Finish("");
  EXPECT_EQ(peer.Read(*loop_).id, 1u);
  ExpectClosed(peer);
  RunUntil(*loop_, [&] { return done; });
}

TEST_F(ListeningServerTest, ShutdownAnswersWhatWasSentButNotRead) {
  Listen({});
  RawPeer peer = Dial();
  ExpectEcho(peer, 1);
  peer.Write(*loop_, RequestFrame(3, kService, "Echo", ""));
  bool done = false;
  server_->Shutdown([&] { done = true; });
  ExpectError(peer, 3, absl::StatusCode::kUnavailable, "shuts down");
  ExpectClosed(peer);
  RunUntil(*loop_, [&] { return done; });
}

TEST_F(ListeningServerTest, ShutdownWithoutConnectionsEndsFromTheLoop) {
  Listen({});
  bool done = false;
  server_->Shutdown([&] { done = true; });
  EXPECT_FALSE(done);
  RunUntil(*loop_, [&] { return done; });
}

}  // namespace
}  // namespace ttrpc
}  // namespace external_containerizer

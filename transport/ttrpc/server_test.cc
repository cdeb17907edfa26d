// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/server.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/harness.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

constexpr char kService[] = "ec.v1.Helper";

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() { Start({}); }

  // `Echo` answers with its request, `Keep` keeps its responder in kept_.
  void Start(ServerOptions options) {
    server_ = std::make_unique<Server>(*loop_, std::move(options));
    server_->AddHandler(kService, "Echo",
                        [this](const CallContext&, absl::string_view request,
                               Responder responder) {
                          ++echoes_;
                          responder.Finish(std::string(request));
                        });
    server_->AddHandler(
        kService, "Keep",
        [this](const CallContext&, absl::string_view, Responder responder) {
          kept_.push_back(std::move(responder));
        });
  }

  RawPeer Connect() {
    RawPeer peer;
    EXPECT_THAT(server_->Adopt(peer.TakeOther()), IsOk());
    return peer;
  }

  void ExpectEcho(RawPeer& peer, uint32_t id) {
    peer.Write(*loop_, RequestFrame(id, kService, "Echo", "ping"));
    const SeenFrame seen = peer.Read(*loop_);
    EXPECT_EQ(seen.id, id);
    EXPECT_EQ(std::string(seen.AsResponse().payload()), "ping");
  }

  SeenFrame ReadWhileWriting(RawPeer& peer, absl::string_view& rest) {
    RunUntil(*loop_, [&] {
      const size_t n = peer.WriteSome(rest);
      rest.remove_prefix(n);
      return n == 0 && peer.Poll();
    });
    return peer.Read(*loop_);
  }

  void ExpectError(RawPeer& peer, uint32_t id, absl::StatusCode code,
                   absl::string_view message) {
    const SeenFrame seen = peer.Read(*loop_);
    EXPECT_EQ(seen.id, id);
    const wire::Response response = seen.AsResponse();
    EXPECT_EQ(response.status().code(), static_cast<int>(code));
    EXPECT_THAT(std::string(response.status().message()),
                HasSubstr(std::string(message)));
  }

  void Turn() {
    loop_->Post([&] { loop_->Stop(); });
    loop_->Run();
  }

  void ExpectClosed(RawPeer& peer) {
    RunUntil(*loop_, [&] { return peer.AtEnd(); });
  }

  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  int echoes_ = 0;
  std::vector<Responder> kept_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, RepliesAreThoseOfTheReference) {
  server_->AddHandler(
      kService, "Usage",
      [](const CallContext&, absl::string_view request, Responder responder) {
        EXPECT_EQ(request, Hex("0a0178"));
        responder.Finish(Hex("0a026f6b"));
      });
  server_->AddHandler(kService, "Empty",
                      [](const CallContext& context, absl::string_view request,
                         Responder responder) {
                        EXPECT_EQ(request, "");
                        EXPECT_THAT(context.metadata,
                                    ElementsAre(Pair("k", "v")));
                        EXPECT_EQ(context.timeout, absl::InfiniteDuration());
                        EXPECT_EQ(context.peer.pid, getpid());
                        responder.Finish("");
                      });
  server_->AddHandler(
      kService, "Boom",
      [](const CallContext&, absl::string_view, Responder responder) {
        responder.Finish(absl::UnknownError("boom"));
      });
  RawPeer peer = Connect();
  const auto ask = [&](const std::string& request) {
    peer.Write(*loop_, request);
    const SeenFrame seen = peer.Read(*loop_);
    return EncodeFrame(seen.id, seen.type, seen.body);
  };
  EXPECT_EQ(ask(Hex("0000001a 00000001 01 00"
                    "0a0c65632e76312e48656c70657212055573616765 1a030a0178")),
            Hex("00000006 00000001 02 00 12040a026f6b"));
  EXPECT_EQ(
      ask(Hex("0000001d 00000003 01 00"
              "0a0c65632e76312e48656c7065721205456d707479 2a060a016b120176")),
      Hex("00000000 00000003 02 00"));
  EXPECT_EQ(ask(RequestFrame(5, kService, "Boom", "")),
            Hex("0000000a 00000005 02 00 0a0808021204626f6f6d"));
  EXPECT_EQ(ask(RequestFrame(7, kService, "Nope", "")),
            Hex("00000011 00000007 02 00 0a0f080c120b6d6574686f64204e6f7065"));
  EXPECT_EQ(
      ask(RequestFrame(9, "no.S", "Usage", "")),
      Hex("00000012 00000009 02 00 0a10080c120c73657276696365206e6f2e53"));
}

TEST_F(ServerTest, RequestsCutAtEveryByteAreServed) {
  const std::string request = RequestFrame(1, kService, "Echo", "body");
  for (size_t cut = 0; cut <= request.size(); ++cut) {
    RawPeer peer = Connect();
    peer.Write(*loop_, request.substr(0, cut));
    bool turned = false;
    loop_->Post([&] { loop_->Post([&] { turned = true; }); });
    RunUntil(*loop_, [&] { return turned; });
    peer.Write(*loop_, request.substr(cut));
    EXPECT_EQ(std::string(peer.Read(*loop_).AsResponse().payload()), "body");
  }
}

TEST_F(ServerTest, ConnectionThatEndsAtAnyByteIsForgotten) {
  const std::string request = RequestFrame(1, kService, "Keep", "body");
  for (size_t cut = 0; cut <= request.size(); ++cut) {
    RawPeer peer = Connect();
    peer.Write(*loop_, request.substr(0, cut));
    peer.Close();
    RunUntil(*loop_, [&] { return server_->connections() == 0; });
  }
  RawPeer peer = Connect();
  ExpectEcho(peer, 1);
}

TEST_F(ServerTest, AnswerComesFromAnyThreadInAnyOrder) {
  RawPeer peer = Connect();
  peer.Write(*loop_, RequestFrame(1, kService, "Keep", "") +
                         RequestFrame(3, kService, "Keep", ""));
  RunUntil(*loop_, [&] { return kept_.size() == 2; });
  std::thread thread([this] {
    EXPECT_FALSE(kept_[1].cancelled());
    kept_[1].Finish("second");
    kept_[1].Finish("not counted");
    kept_[0].Finish("first");
  });
  SeenFrame seen = peer.Read(*loop_);
  EXPECT_EQ(seen.id, 3u);
  EXPECT_EQ(std::string(seen.AsResponse().payload()), "second");
  seen = peer.Read(*loop_);
  EXPECT_EQ(seen.id, 1u);
  thread.join();
  ExpectEcho(peer, 5);
  EXPECT_EQ(server_->in_flight(), 0u);
}

TEST_F(ServerTest, ResponderThatIsReplacedAnswersInternal) {
  RawPeer peer = Connect();
  peer.Write(*loop_, RequestFrame(1, kService, "Keep", "") +
                         RequestFrame(3, kService, "Keep", ""));
  RunUntil(*loop_, [&] { return kept_.size() == 2; });
  kept_[0] = std::move(kept_[1]);
  ExpectError(peer, 1, absl::StatusCode::kInternal, "did not answer");
  kept_[0].Finish("second");
  EXPECT_EQ(peer.Read(*loop_).id, 3u);
}

TEST_F(ServerTest, ResponderThatIsDroppedAnswersInternal) {
  RawPeer peer = Connect();
  peer.Write(*loop_, RequestFrame(1, kService, "Keep", ""));
  RunUntil(*loop_, [&] { return kept_.size() == 1; });
  kept_.clear();
  ExpectError(peer, 1, absl::StatusCode::kInternal, "did not answer");
}

TEST_F(ServerTest, IdsThatAreEvenOrRepeatedAreRefusedOnTheirId) {
  RawPeer peer = Connect();
  ExpectEcho(peer, 5);
  for (uint32_t id : {0u, 4u, 6u, 0xfffffffeu}) {
    peer.Write(*loop_, RequestFrame(id, kService, "Echo", ""));
    ExpectError(peer, id, absl::StatusCode::kInvalidArgument, "odd");
  }
  for (uint32_t id : {5u, 3u, 1u}) {
    peer.Write(*loop_, RequestFrame(id, kService, "Echo", ""));
    ExpectError(peer, id, absl::StatusCode::kInvalidArgument, "greater");
  }
  EXPECT_EQ(echoes_, 1);
  ExpectEcho(peer, 7);
  ExpectEcho(peer, 0xffffffff);
}

TEST_F(ServerTest, RepeatedIdOfACallInFlightIsAnsweredOnce) {
  RawPeer peer = Connect();
  peer.Write(*loop_, RequestFrame(1, kService, "Keep", "") +
                         RequestFrame(1, kService, "Keep", "") +
                         RequestFrame(1, kService, "Keep", ""));
  ExpectError(peer, 1, absl::StatusCode::kInvalidArgument, "greater");
  ASSERT_EQ(kept_.size(), 1u);
  EXPECT_EQ(server_->in_flight(), 1u);
  kept_[0].Finish("too late");
  EXPECT_EQ(server_->in_flight(), 0u);
  ExpectEcho(peer, 3);
}

TEST_F(ServerTest, DataFramesAreRefused) {
  RawPeer peer = Connect();
  peer.Write(*loop_, EncodeFrame(9, FrameType::kData, "x"));
  ExpectError(peer, 9, absl::StatusCode::kInvalidArgument, "stream");
  // Kills containerd's server of version 1.2.
  peer.Write(*loop_, RequestFrame(11, kService, "Keep", "") +
                         EncodeFrame(11, FrameType::kData, "x"));
  ExpectError(peer, 11, absl::StatusCode::kInvalidArgument, "stream");
  ExpectEcho(peer, 13);
}

TEST_F(ServerTest, StreamingRequestIsUnimplemented) {
  RawPeer peer = Connect();
  std::string request = RequestFrame(1, kService, "Echo", "");
  request[9] = static_cast<char>(kFlagRemoteOpen);
  peer.Write(*loop_, request);
  ExpectError(peer, 1, absl::StatusCode::kUnimplemented, "stream");
  ExpectEcho(peer, 3);
}

TEST_F(ServerTest, UnknownTypesAndResponsesAreIgnored) {
  RawPeer peer = Connect();
  peer.Write(*loop_, EncodeFrame(1, FrameType{0}, "") +
                         EncodeFrame(1, FrameType{4}, "x") +
                         EncodeFrame(1, FrameType{255}, "x") +
                         ReplyFrame(1, "x"));
  ExpectEcho(peer, 1);
}

TEST_F(ServerTest, RequestThatIsTooLargeIsRefusedAlone) {
  RawPeer peer = Connect();
  peer.Write(*loop_, EncodeFrame(1, FrameType::kRequest,
                                 std::string(kMaxFrameBody + 1, 'x')));
  ExpectError(peer, 1, absl::StatusCode::kResourceExhausted,
              "message length 4194305 exceed");
  ExpectEcho(peer, 3);
}

TEST_F(ServerTest, ReplyThatIsTooLargeBecomesAnError) {
  server_->AddHandler(
      kService, "Large",
      [](const CallContext&, absl::string_view, Responder responder) {
        responder.Finish(std::string(kMaxFrameBody, 'x'));
      });
  RawPeer peer = Connect();
  peer.Write(*loop_, RequestFrame(1, kService, "Large", ""));
  ExpectError(peer, 1, absl::StatusCode::kResourceExhausted, "exceed");
  ExpectEcho(peer, 3);
}

TEST_F(ServerTest, RequestThatIsNoMessageIsRefusedAlone) {
  RawPeer peer = Connect();
  peer.Write(*loop_, EncodeFrame(1, FrameType::kRequest, "\xff\xff"));
  ExpectError(peer, 1, absl::StatusCode::kInvalidArgument, "unmarshal");
  ExpectEcho(peer, 3);
}

TEST_F(ServerTest, MetadataIsTakenUpToItsBoundAndRefusedBeyondIt) {
  size_t pairs = 0;
  server_->AddHandler(
      kService, "Count",
      [&](const CallContext& context, absl::string_view, Responder responder) {
        pairs = context.metadata.size();
        responder.Finish("");
      });
  wire::Request request;
  request.set_service(kService);
  request.set_method("Count");
  request.set_payload("x");
  request.set_timeout_nano(3'600'000'000'000);
  for (size_t i = 0; i < kMaxMetadata; ++i) {
    request.add_metadata()->set_key("k");
  }
  RawPeer peer = Connect();
  peer.Write(*loop_, EncodeFrame(1, FrameType::kRequest,
                                 request.SerializeAsString()));
  EXPECT_EQ(peer.Read(*loop_).AsResponse().status().code(), 0);
  EXPECT_EQ(pairs, kMaxMetadata);
  request.add_metadata();
  peer.Write(*loop_, EncodeFrame(3, FrameType::kRequest,
                                 request.SerializeAsString()));
  ExpectError(peer, 3, absl::StatusCode::kResourceExhausted, "metadata");
  // Two bytes each: half a gigabyte, if each became an object.
  std::string many(kMaxFrameBody, 0);
  for (size_t i = 0; i < many.size(); i += 2) many[i] = 0x2a;
  struct rusage before, after;
  ASSERT_EQ(getrusage(RUSAGE_SELF, &before), 0);
  peer.Write(*loop_, EncodeFrame(5, FrameType::kRequest, many));
  ExpectError(peer, 5, absl::StatusCode::kResourceExhausted, "metadata");
  ASSERT_EQ(getrusage(RUSAGE_SELF, &after), 0);
  EXPECT_LT(after.ru_maxrss - before.ru_maxrss, 64 << 10);  // KiB
  ExpectEcho(peer, 7);
}

TEST_F(ServerTest, NamesOfStrangersAreShownEscaped) {
  RawPeer peer = Connect();
  peer.Write(*loop_, RequestFrame(1, "a\x1b[2J", "m", ""));
  ExpectError(peer, 1, absl::StatusCode::kUnimplemented, "service a\\x1b[2J");
}

TEST_F(ServerTest, StreamThatIsNoTtrpcIsClosedAndOthersGoOn) {
  RawPeer other = Connect();
  for (absl::string_view garbage :
       {absl::string_view("GET / HTTP/1.1\r\n\r\n"),
        absl::string_view("\xff\xff\xff\xff\x00\x00\x00\x01\x01\x00", 10)}) {
    RawPeer peer = Connect();
    peer.Write(*loop_, garbage);
    ExpectClosed(peer);
  }
  ExpectEcho(other, 1);
}

TEST_F(ServerTest, RandomBytesHarmNobody) {
  RawPeer other = Connect();
  std::mt19937 random(2);
  for (uint32_t round = 0; round < 300; ++round) {
    RawPeer peer = Connect();
    std::string bytes(random() % 300, 0);
    for (char& c : bytes) {
      c = static_cast<char>(random() % 4 == 0 ? random() % 256 : random() % 4);
    }
    peer.Write(*loop_, bytes);
    ExpectEcho(other, 2 * round + 1);
  }
  RunUntil(*loop_, [&] { return server_->connections() == 1; });
}

TEST_F(ServerTest, CallerWhoseTimeHasPassedIsToldSo) {
  RawPeer peer = Connect();
  peer.Write(*loop_, RequestFrame(1, kService, "Echo", "", -5));
  ExpectError(peer, 1, absl::StatusCode::kDeadlineExceeded, "");
  EXPECT_EQ(echoes_, 0);
  peer.Write(*loop_, RequestFrame(3, kService, "Keep", "", 1'000'000));
  ExpectError(peer, 3, absl::StatusCode::kDeadlineExceeded, "too long");
  // Its handler still works, and is counted until it ends.
  ASSERT_EQ(kept_.size(), 1u);
  EXPECT_TRUE(kept_[0].cancelled());
  EXPECT_EQ(server_->in_flight(), 1u);
  kept_[0].Finish("late");
  ExpectEcho(peer, 5);
  EXPECT_EQ(server_->in_flight(), 0u);
}

TEST_F(ServerTest, HandlerIsToldOnceThatItsCallerIsGone) {
  std::vector<absl::StatusCode> told;
  server_->AddHandler(
      kService, "Wait",
      [&](const CallContext&, absl::string_view, Responder responder) {
        responder.WhenCancelled(
            [&](absl::Status why) { told.push_back(why.code()); });
        kept_.push_back(std::move(responder));
      });
  {
    RawPeer peer = Connect();
    peer.Write(*loop_, RequestFrame(1, kService, "Wait", "", 1'000'000) +
                           RequestFrame(3, kService, "Wait", "") +
                           RequestFrame(5, kService, "Wait", ""));
    ExpectError(peer, 1, absl::StatusCode::kDeadlineExceeded, "");
    EXPECT_THAT(told, ElementsAre(absl::StatusCode::kDeadlineExceeded));
    ASSERT_EQ(kept_.size(), 3u);
    kept_[2].Finish("answered");
  }
  RunUntil(*loop_, [&] { return server_->connections() == 0; });
  EXPECT_THAT(told, ElementsAre(absl::StatusCode::kDeadlineExceeded,
                                absl::StatusCode::kCancelled));
  EXPECT_TRUE(kept_[1].cancelled());
  kept_[1].Finish("to nobody");
}

TEST_F(ServerTest, ConnectionsAreTellableApartAndTheirEndIsTold) {
  std::vector<uint64_t> calls, ends;
  server_->AddHandler(
      kService, "Who",
      [&](const CallContext& context, absl::string_view, Responder responder) {
        calls.push_back(context.connection);
        responder.Finish("");
      });
  server_->WhenDisconnected([&](uint64_t connection) {
    EXPECT_TRUE(kept_[0].cancelled());
    ends.push_back(connection);
  });
  RawPeer first = Connect();
  RawPeer second = Connect();
  first.Write(*loop_, RequestFrame(1, kService, "Keep", ""));
  for (uint32_t id : {3u, 5u}) {
    for (RawPeer* peer : {&first, &second}) {
      peer->Write(*loop_, RequestFrame(id, kService, "Who", ""));
      peer->Read(*loop_);
    }
  }
  ASSERT_EQ(calls.size(), 4u);
  EXPECT_EQ(calls[0], calls[2]);
  EXPECT_EQ(calls[1], calls[3]);
  EXPECT_NE(calls[0], calls[1]);
  first.Close();
  RunUntil(*loop_, [&] { return !ends.empty(); });
  EXPECT_THAT(ends, ElementsAre(calls[0]));
  EXPECT_EQ(server_->connections(), 1u);
  server_.reset();
  EXPECT_EQ(ends.size(), 1u);
}

TEST_F(ServerTest, DestroyedServerCancelsItsCallsAndResponderOutlivesIt) {
  RawPeer peer = Connect();
  peer.Write(*loop_, RequestFrame(1, kService, "Keep", ""));
  RunUntil(*loop_, [&] { return kept_.size() == 1; });
  bool told = false;
  kept_[0].WhenCancelled([&](absl::Status) { told = true; });
  server_ = nullptr;
  EXPECT_TRUE(told);
  kept_[0].Finish("to nobody");
  ExpectClosed(peer);
}

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
  // What is queued, what the kernel holds, and one more.
  EXPECT_LT(static_cast<size_t>(echoes_) * kPayload, 3u << 20);
  EXPECT_LT(asked, 1000u);
  ExpectEcho(other, 1);
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
  options.max_queued = 2 << 20;
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
  largest.Write(*loop_, request.substr(0, 3 * kMiB));
  std::vector<RawPeer> peers;
  for (int i = 0; i < 20; ++i) {
    peers.push_back(Connect());
    peers.back().Write(*loop_, request.substr(0, 2 * kMiB + 1));
    ExpectEcho(other, 2 * static_cast<uint32_t>(i) + 1);
    EXPECT_LE(server_->connections(), 2u + 4u);
  }
  EXPECT_TRUE(largest.AtEnd());
  // Those that were not closed are still served.
  int served = 0;
  for (RawPeer& peer : peers) {
    if (peer.AtEnd()) continue;
    peer.Write(*loop_, request.substr(2 * kMiB + 1));
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
  for (int i = 0; i < 20; ++i) first.push_back(Dial());
  RunUntil(*loop_, [&] { return server_->connections() == 20; });
  for (int i = 0; i < 2000; ++i) {
    RawPeer more = Dial();
    if (i % 100 == 0) ExpectClosed(more);
    EXPECT_LE(server_->connections(), 20u);
    loop_->Post([&] { loop_->Stop(); });
    loop_->Run();
  }
  for (RawPeer& peer : first) ExpectEcho(peer, 1);
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
  // Of the processor: it does not run in circles meanwhile.
  const clock_t start = clock();
  RunFor(absl::Milliseconds(500));
  EXPECT_LT(clock() - start, CLOCKS_PER_SEC / 10);
  EXPECT_EQ(server_->connections(), 0u);
  Restore();
  for (RawPeer& peer : waiting_) ExpectEcho(peer, 1);
}

TEST_F(NoDescriptorsTest, ListenerThatCannotBeWatchedIsTriedAgain) {
  // Only one can watch it, and that is the test as soon as the server pauses.
  RunUntil(*loop_, [&] {
    return loop_->Watch(listener_, 0, [](uint32_t) {}).ok();
  });
  Restore();
  RunFor(absl::Milliseconds(200));
  EXPECT_EQ(server_->connections(), 0u);
  loop_->Unwatch(listener_);
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
  Listen({});
  EXPECT_THAT(server_->Listen(*ListenUnix(path_ + "2")),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("listens already")));
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

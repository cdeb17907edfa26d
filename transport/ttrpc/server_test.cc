// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Calls, and what is none.

#include "external_containerizer/transport/ttrpc/server.h"

#include <sys/resource.h>

#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/ttrpc/server_testing.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST_F(ServerTest, RepliesAreThoseOfTheReference) {
  server_->AddHandler(
      kService, "Usage",
      [](const CallContext&, absl::string_view request, Responder responder) {
        EXPECT_EQ(request, FromHex("0a0178"));
        responder.Finish(FromHex("0a026f6b"));
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
  EXPECT_EQ(
      ask(FromHex("0000001a 00000001 01 00"
                  "0a0c65632e76312e48656c70657212055573616765 1a030a0178")),
      FromHex("00000006 00000001 02 00 12040a026f6b"));
  EXPECT_EQ(ask(FromHex(
                "0000001d 00000003 01 00"
                "0a0c65632e76312e48656c7065721205456d707479 2a060a016b120176")),
            FromHex("00000000 00000003 02 00"));
  EXPECT_EQ(ask(RequestFrame(5, kService, "Boom", "")),
            FromHex("0000000a 00000005 02 00 0a0808021204626f6f6d"));
  EXPECT_EQ(
      ask(RequestFrame(7, kService, "Nope", "")),
      FromHex("00000011 00000007 02 00 0a0f080c120b6d6574686f64204e6f7065"));
  EXPECT_EQ(
      ask(RequestFrame(9, "no.S", "Usage", "")),
      FromHex("00000012 00000009 02 00 0a10080c120c73657276696365206e6f2e53"));
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
  peer.Write(*loop_,
             EncodeFrame(1, FrameType::kRequest, request.SerializeAsString()));
  EXPECT_EQ(peer.Read(*loop_).AsResponse().status().code(), 0);
  EXPECT_EQ(pairs, kMaxMetadata);
  request.add_metadata();
  peer.Write(*loop_,
             EncodeFrame(3, FrameType::kRequest, request.SerializeAsString()));
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

}  // namespace
}  // namespace ttrpc
}  // namespace external_containerizer

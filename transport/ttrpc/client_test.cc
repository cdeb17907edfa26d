// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/client.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kService[] = "ec.v1.Helper";

// More than the kernel takes for a peer that does not read.
constexpr size_t kTooMuch = 1 << 20;

using Result = std::optional<CallResult<std::string>>;

class ClientTest : public ::testing::Test {
 protected:
  ClientTest() { Connect({}); }

  void Connect(ClientOptions options) {
    client_ = nullptr;
    server_ = std::make_unique<RawPeer>();
    client_ = *Client::Create(*loop_, server_->TakeOther(), options);
  }

  Client::CallId Call(Result& result, std::string payload = "x",
                      CallOptions options = {}) {
    return client_->Call(kService, "Usage", std::move(payload),
                         std::move(options),
                         [&result](CallResult<std::string> r) {
                           EXPECT_FALSE(result.has_value()) << "ended twice";
                           result = std::move(r);
                         });
  }

  // All that was posted up to now has run after it.
  void Turn() {
    bool done = false;
    loop_->Post([&] { loop_->Post([&] { done = true; }); });
    RunUntil(*loop_, [&] { return done; });
  }

  void ExpectEnds(const Result& result, absl::StatusCode code,
                  Outcome outcome) {
    RunUntil(*loop_, [&] { return result.has_value(); });
    ASSERT_TRUE(result.has_value());
    EXPECT_THAT(result->reply, StatusIs(code));
    EXPECT_EQ(result->outcome, outcome);
  }

  // A call that is made now is answered.
  void ExpectWorks() {
    Result result;
    const uint32_t id = Call(result, "ping");
    SeenFrame seen;
    do {
      seen = server_->Read(*loop_);
    } while (seen.id != 0 && seen.id != id);
    ASSERT_EQ(seen.id, id);
    server_->Write(*loop_, ReplyFrame(id, "pong"));
    RunUntil(*loop_, [&] { return result.has_value(); });
    EXPECT_THAT(result->reply, IsOkAndHolds("pong"));
    EXPECT_EQ(result->outcome, Outcome::kAnswered);
  }

  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::unique_ptr<RawPeer> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(ClientTest, CallsAndRepliesAreThoseOfTheReference) {
  Result usage;
  Call(usage, FromHex("0a0178"));
  SeenFrame seen = server_->Read(*loop_);
  EXPECT_EQ(EncodeFrame(seen.id, seen.type, seen.body),
            FromHex("0000001a 00000001 01 00"
                    "0a0c65632e76312e48656c70657212055573616765 1a030a0178"));
  server_->Write(*loop_, FromHex("00000006 00000001 02 00 12040a026f6b"));
  RunUntil(*loop_, [&] { return usage.has_value(); });
  EXPECT_THAT(usage->reply, IsOkAndHolds(FromHex("0a026f6b")));

  Result empty;
  client_->Call(kService, "Empty", "", {absl::InfiniteDuration(), {{"K", "v"}}},
                [&](CallResult<std::string> r) { empty = std::move(r); });
  seen = server_->Read(*loop_);
  EXPECT_EQ(
      EncodeFrame(seen.id, seen.type, seen.body),
      FromHex("0000001d 00000003 01 00"
              "0a0c65632e76312e48656c7065721205456d707479 2a060a016b120176"));
  server_->Write(*loop_, FromHex("00000000 00000003 02 00"));
  RunUntil(*loop_, [&] { return empty.has_value(); });
  EXPECT_THAT(empty->reply, IsOkAndHolds(""));

  Result boom;
  Call(boom);
  server_->Read(*loop_);
  server_->Write(*loop_,
                 FromHex("0000000a 00000005 02 00 0a0808021204626f6f6d"));
  RunUntil(*loop_, [&] { return boom.has_value(); });
  EXPECT_THAT(boom->reply, StatusIs(absl::StatusCode::kUnknown, "boom"));
  EXPECT_EQ(boom->outcome, Outcome::kAnswered);
}

TEST_F(ClientTest, RepliesComeInAnyOrder) {
  Result results[3];
  std::vector<uint32_t> ids;
  for (Result& result : results) ids.push_back(Call(result));
  EXPECT_THAT(ids, ElementsAre(1u, 3u, 5u));
  for (uint32_t id : ids) EXPECT_EQ(server_->Read(*loop_).id, id);
  server_->Write(*loop_, ReplyFrame(5, "five") + ReplyFrame(1, "one") +
                             ReplyFrame(3, "three"));
  RunUntil(*loop_, [&] { return client_->outstanding() == 0; });
  EXPECT_THAT(results[0]->reply, IsOkAndHolds("one"));
  EXPECT_THAT(results[1]->reply, IsOkAndHolds("three"));
  EXPECT_THAT(results[2]->reply, IsOkAndHolds("five"));
}

TEST_F(ClientTest, RefusedCallEndsFromTheLoopAndNotInsideTheCall) {
  Result large, late, text, name, pairs;
  EXPECT_EQ(Call(large, std::string(kMaxFrameBody, 'x')), 0u);
  EXPECT_EQ(Call(late, "", {absl::ZeroDuration(), {}}), 0u);
  EXPECT_EQ(Call(text, "", {absl::Seconds(1), {{"k", "\xff"}}}), 0u);
  client_->Call("s\xff", "m", "", {},
                [&](CallResult<std::string> r) { name = std::move(r); });
  EXPECT_EQ(Call(pairs, "", {absl::Seconds(1), Metadata(kMaxMetadata + 1)}),
            0u);
  EXPECT_FALSE(large.has_value() || late.has_value() || text.has_value() ||
               name.has_value() || pairs.has_value());
  ExpectEnds(large, absl::StatusCode::kResourceExhausted, Outcome::kNotSent);
  ExpectEnds(late, absl::StatusCode::kDeadlineExceeded, Outcome::kNotSent);
  ExpectEnds(text, absl::StatusCode::kInvalidArgument, Outcome::kNotSent);
  ExpectEnds(name, absl::StatusCode::kInvalidArgument, Outcome::kNotSent);
  ExpectEnds(pairs, absl::StatusCode::kResourceExhausted, Outcome::kNotSent);
  ExpectWorks();
}

TEST_F(ClientTest, LargestCallAndReplyTravel) {
  const std::string payload(kMaxFrameBody - 64, 'x');
  Result result;
  Call(result, payload);
  const SeenFrame seen = server_->Read(*loop_);
  EXPECT_EQ(std::string(seen.AsRequest().payload()), payload);
  server_->Write(*loop_, ReplyFrame(seen.id, payload));
  RunUntil(*loop_, [&] { return result.has_value(); });
  EXPECT_THAT(result->reply, IsOkAndHolds(payload));
}

TEST_F(ClientTest, ShortestTimeoutDoesNotTravelAsNone) {
  Result result, longest;
  loop_->Post([&] { Call(result, "x", {absl::Nanoseconds(1) / 4, {}}); });
  // Both are written in the turn that makes the other call, before any timer.
  Call(longest, "x", {absl::Hours(24 * 365 * 1000), {}});
  EXPECT_EQ(server_->Read(*loop_).AsRequest().timeout_nano(),
            std::numeric_limits<int64_t>::max());
  EXPECT_EQ(server_->Read(*loop_).AsRequest().timeout_nano(), 1);
  ExpectEnds(result, absl::StatusCode::kDeadlineExceeded, Outcome::kUnknown);
  server_->Write(*loop_, ReplyFrame(1, "in time"));
  RunUntil(*loop_, [&] { return longest.has_value(); });
  EXPECT_THAT(longest->reply, IsOkAndHolds("in time"));
}

TEST_F(ClientTest, DeadlineTravelsAndALateReplyIsDropped) {
  Result result;
  Call(result, "x", {absl::Milliseconds(20), {}});
  const SeenFrame seen = server_->Read(*loop_);
  EXPECT_EQ(seen.AsRequest().timeout_nano(), 20'000'000);
  ExpectEnds(result, absl::StatusCode::kDeadlineExceeded, Outcome::kUnknown);
  server_->Write(*loop_, ReplyFrame(seen.id, "late"));
  ExpectWorks();
}

TEST_F(ClientTest, DeadlineOfAQueuedCallWithdrawsIt) {
  Result first, second, third;
  Call(first, std::string(kTooMuch, '1'));
  Turn();
  Call(second, "second", {absl::Milliseconds(1), {}});
  Call(third, "third");
  ExpectEnds(second, absl::StatusCode::kDeadlineExceeded, Outcome::kNotSent);
  // The peer finds whole frames, and never the call that was given up.
  EXPECT_EQ(server_->Read(*loop_).id, 1u);
  const SeenFrame seen = server_->Read(*loop_);
  EXPECT_EQ(seen.id, 5u);
  EXPECT_EQ(std::string(seen.AsRequest().payload()), "third");
  server_->Write(*loop_, ReplyFrame(5, "3") + ReplyFrame(1, "1"));
  RunUntil(*loop_, [&] { return client_->outstanding() == 0; });
  EXPECT_THAT(first->reply, IsOkAndHolds("1"));
  EXPECT_THAT(third->reply, IsOkAndHolds("3"));
}

TEST_F(ClientTest, StoppedServerAndManyDeadlinesDoNotKeepTheLoop) {
  Result first;
  Call(first, std::string(kTooMuch, 'x'));
  Turn();
  constexpr int kCalls = 60'000;
  int expired = 0;
  const clock_t start = clock();
  for (int i = 0; i < kCalls; ++i) {
    client_->Call(kService, "Usage", "x", {absl::Milliseconds(1), {}},
                  [&](CallResult<std::string> result) {
                    EXPECT_EQ(result.outcome, Outcome::kNotSent);
                    ++expired;
                  });
  }
  RunUntil(*loop_, [&] { return expired == kCalls; });
  // Processor time. A quadratic algorithm took minutes.
  EXPECT_LT((clock() - start) / CLOCKS_PER_SEC, 10);
  EXPECT_EQ(server_->Read(*loop_).id, 1u);
  ExpectWorks();
}

TEST_F(ClientTest, DeadlineOfAHalfWrittenCallClosesTheConnection) {
  Result sent, half, queued;
  Call(sent);
  Turn();
  Call(half, std::string(kTooMuch, 'x'), {absl::Milliseconds(50), {}});
  Turn();
  Call(queued);
  ExpectEnds(half, absl::StatusCode::kDeadlineExceeded, Outcome::kNotSent);
  ExpectEnds(sent, absl::StatusCode::kUnavailable, Outcome::kUnknown);
  ExpectEnds(queued, absl::StatusCode::kUnavailable, Outcome::kNotSent);
  EXPECT_THAT(client_->status(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(ClientTest, CancelledCallEndsOnceAndItsReplyIsDropped) {
  Result result;
  const auto id = Call(result);
  EXPECT_EQ(server_->Read(*loop_).id, id);
  client_->Cancel(id);
  client_->Cancel(id);
  EXPECT_FALSE(result.has_value());
  ExpectEnds(result, absl::StatusCode::kCancelled, Outcome::kUnknown);
  server_->Write(*loop_, ReplyFrame(id, "late"));
  ExpectWorks();
}

TEST_F(ClientTest, CancelledCallThatWasNotWrittenNeverIs) {
  Result result;
  const auto id = Call(result);
  client_->Cancel(id);
  ExpectEnds(result, absl::StatusCode::kCancelled, Outcome::kNotSent);
  ExpectWorks();
  EXPECT_FALSE(server_->AtEnd());
}

TEST_F(ClientTest, LostConnectionTellsUnknownFromNeverSent) {
  Result sent, half, queued;
  Call(sent);
  Turn();
  Call(half, std::string(kTooMuch, 'x'));
  Turn();
  Call(queued);
  bool closed = false;
  client_->WhenClosed([&](absl::Status why) {
    EXPECT_THAT(why, StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_TRUE(sent.has_value() && half.has_value() && queued.has_value());
    closed = true;
  });
  server_->Close();
  ExpectEnds(sent, absl::StatusCode::kUnavailable, Outcome::kUnknown);
  ExpectEnds(half, absl::StatusCode::kUnavailable, Outcome::kNotSent);
  ExpectEnds(queued, absl::StatusCode::kUnavailable, Outcome::kNotSent);
  RunUntil(*loop_, [&] { return closed; });
  Result after;
  Call(after);
  ExpectEnds(after, absl::StatusCode::kUnavailable, Outcome::kNotSent);
}

TEST_F(ClientTest, LossEndsCallsInTheOrderInWhichTheyWereMade) {
  std::vector<int> order;
  for (int i = 0; i < 40; ++i) {
    client_->Call(kService, "m", "", {},
                  [&order, i](CallResult<std::string>) { order.push_back(i); });
  }
  server_->Close();
  RunUntil(*loop_, [&] { return order.size() == 40; });
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST_F(ClientTest, LossIsToldAfterCallsThatWereCancelledOrRefused) {
  Result cancelled, refused;
  const auto id = Call(cancelled);
  server_->Read(*loop_);
  server_->Close();
  bool closed = false;
  client_->WhenClosed([&](absl::Status) {
    EXPECT_TRUE(cancelled.has_value() && refused.has_value());
    closed = true;
  });
  // They end in the very turn that sees the end of the connection.
  client_->Cancel(id);
  Call(refused, std::string(kMaxFrameBody, 'x'));
  RunUntil(*loop_, [&] { return closed; });
}

TEST_F(ClientTest, LossIsNotToldOnceTheClientIsGone) {
  server_->Close();
  RunUntil(*loop_, [&] { return !client_->status().ok(); });
  client_->WhenClosed([](absl::Status) { ADD_FAILURE(); });
  client_ = nullptr;
  Turn();
}

TEST_F(ClientTest, LossThatWasBeforeIsToldOnce) {
  server_->Close();
  RunUntil(*loop_, [&] { return !client_->status().ok(); });
  int told = 0;
  client_->WhenClosed([&](absl::Status why) {
    EXPECT_THAT(why, StatusIs(absl::StatusCode::kUnavailable));
    ++told;
  });
  EXPECT_EQ(told, 0);
  Turn();
  Turn();
  EXPECT_EQ(told, 1);
}

TEST_F(ClientTest, ReplyBeforeTheEndOfTheStreamCounts) {
  Result answered, unanswered;
  Call(answered);
  Call(unanswered);
  server_->Read(*loop_);
  server_->Read(*loop_);
  ASSERT_GT(server_->WriteSome(ReplyFrame(1, "last words")), 0u);
  // It makes writing fail before the reply is read.
  Result third;
  Call(third);
  server_->Close();
  RunUntil(*loop_, [&] { return client_->outstanding() == 0; });
  Turn();
  ASSERT_TRUE(answered.has_value() && unanswered.has_value());
  EXPECT_THAT(answered->reply, IsOkAndHolds("last words"));
  EXPECT_EQ(unanswered->outcome, Outcome::kUnknown);
  EXPECT_EQ(third->outcome, Outcome::kNotSent);
}

TEST_F(ClientTest, ReplyCutAtEveryByteIsAnUnknownOutcome) {
  const std::string reply = ReplyFrame(1, "reply");
  for (size_t cut = 0; cut < reply.size(); ++cut) {
    Connect({});
    Result result;
    Call(result);
    server_->Read(*loop_);
    server_->Write(*loop_, reply.substr(0, cut));
    server_->Close();
    ExpectEnds(result, absl::StatusCode::kUnavailable, Outcome::kUnknown);
    EXPECT_THAT(std::string(result->reply.status().message()),
                HasSubstr(cut == 0 ? "closed" : "middle of a frame"));
  }
}

TEST_F(ClientTest, WhatNobodyAskedForIsIgnored) {
  server_->Write(*loop_, ReplyFrame(1, "unasked") + ReplyFrame(2, "even") +
                             ReplyFrame(0, "zero") +
                             ReplyFrame(0xffffffff, "last") +
                             RequestFrame(2, "s", "m", "") +
                             EncodeFrame(1, FrameType{77}, "new type"));
  Turn();
  ExpectWorks();
}

TEST_F(ClientTest, SecondReplyIsDropped) {
  Result result;
  Call(result);
  server_->Read(*loop_);
  server_->Write(*loop_, ReplyFrame(1, "first") + ReplyFrame(1, "second"));
  RunUntil(*loop_, [&] { return result.has_value(); });
  EXPECT_THAT(result->reply, IsOkAndHolds("first"));
  ExpectWorks();
}

TEST_F(ClientTest, AnswerToACallThatWasNotSentClosesTheConnection) {
  Result half, queued;
  Call(half, std::string(kTooMuch, 'x'));
  Turn();
  Call(queued);
  server_->Write(*loop_, ReplyFrame(3, "guessed"));
  ExpectEnds(queued, absl::StatusCode::kDataLoss, Outcome::kNotSent);
  ExpectEnds(half, absl::StatusCode::kDataLoss, Outcome::kNotSent);
}

TEST_F(ClientTest, DataFrameEndsItsCall) {
  Result result;
  Call(result);
  server_->Read(*loop_);
  server_->Write(*loop_, EncodeFrame(1, FrameType::kData, "streamed"));
  ExpectEnds(result, absl::StatusCode::kInternal, Outcome::kUnknown);
  ExpectWorks();
}

TEST_F(ClientTest, ReplyThatIsTooLargeEndsItsCallAlone) {
  Result result;
  Call(result);
  server_->Read(*loop_);
  server_->Write(*loop_, EncodeFrame(1, FrameType::kResponse,
                                     std::string(kMaxFrameBody + 1, 'x')));
  ExpectEnds(result, absl::StatusCode::kResourceExhausted, Outcome::kUnknown);
  ExpectWorks();
}

TEST_F(ClientTest, ReplyThatIsNoMessageEndsItsCallAlone) {
  Result result;
  Call(result);
  server_->Read(*loop_);
  server_->Write(*loop_, EncodeFrame(1, FrameType::kResponse, "\xff\xff"));
  ExpectEnds(result, absl::StatusCode::kInternal, Outcome::kUnknown);
  ExpectWorks();
}

TEST_F(ClientTest, StreamThatIsNoTtrpcClosesTheConnection) {
  Result result;
  Call(result);
  server_->Read(*loop_);
  server_->Write(*loop_, "HTTP/1.1 400 Bad Request\r\n");
  ExpectEnds(result, absl::StatusCode::kDataLoss, Outcome::kUnknown);
  EXPECT_THAT(result->reply,
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("HTTP/1.1")));
}

TEST_F(ClientTest, RandomBytesEndEveryCallOnce) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    Connect({});
    Result results[4];
    for (Result& result : results) Call(result);
    for (int i = 0; i < 4; ++i) server_->Read(*loop_);
    std::string bytes(random() % 200, 0);
    for (char& c : bytes) {
      c = static_cast<char>(random() % 4 == 0 ? random() % 256 : random() % 4);
    }
    if (!bytes.empty()) bytes[0] = 0;
    server_->Write(*loop_, bytes);
    server_->Close();
    for (const Result& result : results) {
      RunUntil(*loop_, [&] { return result.has_value(); });
    }
    EXPECT_EQ(client_->outstanding(), 0u);
  }
}

TEST_F(ClientTest, CallsBeyondTheBoundAreRefusedAtOnce) {
  ClientOptions options;
  options.max_outstanding = 2;
  Connect(options);
  Result first, second, third;
  Call(first);
  Call(second);
  Call(third);
  ExpectEnds(third, absl::StatusCode::kResourceExhausted, Outcome::kNotSent);
  server_->Write(*loop_, ReplyFrame(1, ""));
  RunUntil(*loop_, [&] { return first.has_value(); });
  ExpectWorks();
}

TEST_F(ClientTest, BytesBeyondTheBoundAreRefusedAtOnce) {
  ClientOptions options;
  options.max_queued = 2 * kTooMuch;
  Connect(options);
  Result results[4];
  for (Result& result : results) Call(result, std::string(kTooMuch, 'x'));
  ExpectEnds(results[3], absl::StatusCode::kResourceExhausted,
             Outcome::kNotSent);
  EXPECT_EQ(server_->Read(*loop_).id, 1u);
}

TEST_F(ClientTest, UsedUpIdsAskForANewConnection) {
  ClientOptions options;
  options.first_stream_id = 0xffffffff;
  Connect(options);
  Result last, beyond;
  EXPECT_EQ(Call(last), 0xffffffff);
  EXPECT_EQ(server_->Read(*loop_).id, 0xffffffff);
  Call(beyond);
  ExpectEnds(beyond, absl::StatusCode::kUnavailable, Outcome::kNotSent);
  server_->Write(*loop_, ReplyFrame(0xffffffff, "last"));
  RunUntil(*loop_, [&] { return last.has_value(); });
  EXPECT_THAT(last->reply, IsOkAndHolds("last"));
}

TEST_F(ClientTest, ExhaustionIsToldAMillionCallsAhead) {
  ClientOptions options;
  options.first_stream_id = 0xffffffff - 2'000'000;
  Connect(options);
  EXPECT_FALSE(client_->exhausted());
  Result result;
  Call(result);
  EXPECT_TRUE(client_->exhausted());
  EXPECT_THAT(client_->status(), IsOk());
}

TEST_F(ClientTest, DestroyedClientEndsItsCallsWithCancelled) {
  Result sent, queued;
  Call(sent);
  Turn();
  Call(queued);
  client_ = nullptr;
  EXPECT_FALSE(sent.has_value() || queued.has_value());
  ExpectEnds(sent, absl::StatusCode::kCancelled, Outcome::kUnknown);
  ExpectEnds(queued, absl::StatusCode::kCancelled, Outcome::kNotSent);
}

TEST_F(ClientTest, CallbackMayDestroyTheClient) {
  Result other;
  bool destroyed = false;
  client_->Call(kService, "m", "", {}, [&](CallResult<std::string>) {
    client_ = nullptr;
    destroyed = true;
  });
  Call(other);
  client_->WhenClosed([](absl::Status) { ADD_FAILURE(); });
  server_->Write(*loop_, ReplyFrame(1, "") + ReplyFrame(3, ""));
  server_->Close();
  RunUntil(*loop_, [&] { return destroyed && other.has_value(); });
}

TEST_F(ClientTest, CallbackOfALostConnectionMayDestroyTheClient) {
  Result other;
  client_->Call(kService, "m", "", {},
                [&](CallResult<std::string>) { client_ = nullptr; });
  Call(other);
  client_->WhenClosed([](absl::Status) { ADD_FAILURE(); });
  server_->Close();
  RunUntil(*loop_, [&] { return other.has_value(); });
  EXPECT_EQ(client_, nullptr);
}

TEST_F(ClientTest, ConnectChecksWhoTheServerIs) {
  std::string pattern = ::testing::TempDir() + "/client.XXXXXX";
  const std::string path = std::string(mkdtemp(pattern.data())) + "/s";
  EXPECT_THAT(Client::Connect(*loop_, path).status(),
              StatusIs(absl::StatusCode::kNotFound));
  const int listener = *ListenUnix(path);
  EXPECT_THAT(Client::Connect(*loop_, path).status(), IsOk());
  EXPECT_THAT(Client::Connect(*loop_, path, {}, {geteuid() + 1}).status(),
              StatusIs(absl::StatusCode::kPermissionDenied));
  close(listener);
}

TEST_F(ClientTest, DescriptorThatIsNoneFails) {
  EXPECT_FALSE(Client::Create(*loop_, -1).ok());
}

TEST(ClientMemoryTest, MemoryOfRepliesCutShortIsGivenBack) {
  const auto loop = *EventLoop::Create();
  const auto resident = [] { return ReadProcStat(getpid())->rss_bytes; };
  constexpr size_t kMiB = 1 << 20;
  const std::string part =
      ReplyFrame(1, std::string(kMiB, 'x')).substr(0, 130'000);
  const size_t before = resident();
  std::vector<RawPeer> peers(500);
  std::vector<std::unique_ptr<Client>> clients;
  for (RawPeer& peer : peers) {
    clients.push_back(*Client::Create(*loop, peer.TakeOther()));
    peer.Write(*loop, part);
    loop->RunAfter(absl::ZeroDuration(), [&loop] { loop->Stop(); });
    loop->Run();
  }
  const size_t at_most = resident();
  ASSERT_GT(at_most - before, 40 * kMiB);
  // The buffer of the last one is behind the others in memory.
  for (size_t i = 0; i + 1 < peers.size(); ++i) peers[i].Close();
  RunUntil(*loop, [&] {
    return std::count_if(clients.begin(), clients.end(), [](const auto& one) {
             return one->status().ok();
           }) == 1;
  });
  RunUntil(*loop, [&] { return resident() < before + (at_most - before) / 4; });
}

}  // namespace
}  // namespace ttrpc
}  // namespace external_containerizer

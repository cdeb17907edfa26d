// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/ttrpc/method.h"

#include <malloc.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/ttrpc.pb.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.pb.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

using ::testing::HasSubstr;

// Any messages will do.
constexpr Method<wire::KeyValue, wire::Status> kLook{"test.Store", "Look"};

class MethodTest : public ::testing::Test {
 protected:
  MethodTest() {
    AddHandler(server_, kLook,
               [this](const CallContext& context, wire::KeyValue request,
                      TypedResponder<wire::Status> responder) {
                 timeout_ = context.timeout;
                 if (request.key().empty()) {
                   responder.Fail(absl::NotFoundError("no key"));
                   return;
                 }
                 wire::Status reply;
                 reply.set_message(request.key() + "=" + request.value());
                 responder.Finish(reply);
               });
    int fds[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    EXPECT_THAT(server_.Adopt(fds[0]), IsOk());
    client_ = *Client::Create(*loop_, fds[1]);
  }

  template <typename Request, typename Reply>
  CallResult<Reply> Ask(const Method<Request, Reply>& method,
                        const Request& request) {
    std::optional<CallResult<Reply>> result;
    Call(*client_, method, request, {absl::Seconds(30), {}},
         [&](CallResult<Reply> r) { result = std::move(r); });
    RunUntil(*loop_, [&] { return result.has_value(); });
    return *std::move(result);
  }

  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  Server server_{*loop_};
  std::unique_ptr<Client> client_;
  absl::Duration timeout_;
};

TEST_F(MethodTest, MessagesGoThereAndBack) {
  wire::KeyValue request;
  request.set_key("k");
  request.set_value("v");
  const auto result = Ask(kLook, request);
  ASSERT_THAT(result.reply, IsOk());
  EXPECT_EQ(std::string(result.reply->message()), "k=v");
  EXPECT_EQ(result.outcome, Outcome::kAnswered);
  EXPECT_EQ(timeout_, absl::Seconds(30));
}

TEST_F(MethodTest, FailureOfTheHandlerIsTheCallers) {
  const auto result = Ask(kLook, wire::KeyValue());
  EXPECT_THAT(result.reply, StatusIs(absl::StatusCode::kNotFound, "no key"));
  EXPECT_EQ(result.outcome, Outcome::kAnswered);
}

TEST_F(MethodTest, RequestThatIsNoneIsInvalid) {
  std::optional<CallResult<std::string>> result;
  client_->Call(kLook.service, kLook.name, "\xff", {},
                [&](CallResult<std::string> r) { result = std::move(r); });
  RunUntil(*loop_, [&] { return result.has_value(); });
  EXPECT_THAT(result->reply, StatusIs(absl::StatusCode::kInvalidArgument,
                                      HasSubstr("wire.KeyValue")));
}

TEST_F(MethodTest, RequestWithoutARequiredFieldIsInvalid) {
  using Required = google::protobuf::UninterpretedOption::NamePart;
  constexpr Method<Required, Required> kTwice{"test.Store", "Twice"};
  AddHandler(
      server_, kTwice,
      [](const CallContext&, Required request,
         TypedResponder<Required> responder) { responder.Finish(request); });
  Required request;
  request.set_name_part("name");
  EXPECT_THAT(
      Ask(kTwice, request).reply,
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("NamePart")));
  request.set_is_extension(true);
  EXPECT_THAT(Ask(kTwice, request).reply, IsOk());
}

TEST_F(MethodTest, ReplyThatIsNoneIsInternalAndItsOutcomeUnknown) {
  server_.AddHandler("test.Store", "Bad",
                     [](const CallContext&, absl::string_view,
                        Responder responder) { responder.Finish("\xff"); });
  constexpr Method<wire::KeyValue, wire::Status> kBad{"test.Store", "Bad"};
  const auto result = Ask(kBad, wire::KeyValue());
  EXPECT_THAT(result.reply,
              StatusIs(absl::StatusCode::kInternal, HasSubstr("wire.Status")));
  EXPECT_EQ(result.outcome, Outcome::kUnknown);
}

TEST_F(MethodTest, TenThousandCallsThatWaitCostLessThanAKibibyteEach) {
  constexpr size_t kCalls = 10'000;
  constexpr Method<wire::KeyValue, wire::Status> kWait{"test.Store", "Wait"};
  ServerOptions options;
  options.max_in_flight = 2 * kCalls;
  Server server(*loop_, options);
  std::vector<TypedResponder<wire::Status>> waiting;
  AddHandler(server, kWait,
             [&](const CallContext&, wire::KeyValue,
                 TypedResponder<wire::Status> responder) {
               waiting.push_back(std::move(responder));
             });
  int fds[2] = {-1, -1};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  ASSERT_THAT(server.Adopt(fds[0]), IsOk());
  client_ = *Client::Create(*loop_, fds[1]);
  waiting.reserve(kCalls);
  const auto used = [] {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const size_t before = used();
  size_t ended = 0;
  wire::KeyValue request;
  request.set_key("container-0123456789");
  for (size_t i = 0; i < kCalls; ++i) {
    Call(*client_, kWait, request, {},
         [&](CallResult<wire::Status>) { ++ended; });
  }
  RunUntil(*loop_, [&] { return waiting.size() == kCalls; });
  // Both sides together.
  EXPECT_LT((used() - before) / kCalls, 1024u);
  RecordProperty("bytes_per_call",
                 static_cast<int>((used() - before) / kCalls));
  for (auto& responder : waiting) responder.Finish(wire::Status());
  RunUntil(*loop_, [&] { return ended == kCalls; });
}

TEST_F(MethodTest, IdleConnectionKeepsNothingOfItsLargestCalls) {
  server_.AddHandler(
      "test.Store", "Back",
      [](const CallContext&, absl::string_view request, Responder responder) {
        responder.Finish(std::string(request));
      });
  server_.AddHandler(
      "test.Store", "Complain",
      [](const CallContext&, absl::string_view, Responder responder) {
        responder.Finish(absl::AbortedError(std::string(64 << 10, '\xff')));
      });
  const auto call = [&](const char* method, size_t size, CallOptions options) {
    bool ended = false;
    client_->Call("test.Store", method, std::string(size, 'x'),
                  std::move(options),
                  [&](CallResult<std::string>) { ended = true; });
    RunUntil(*loop_, [&] { return ended; });
  };
  const auto used = [] {
    const auto info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  call("Back", 1, {});
  const size_t before = used();
  call("Back", 4'000'000, {});
  call("Back", 1,
       {absl::InfiniteDuration(),
        Metadata(30, {"key", std::string(100'000, 'y')})});
  call("Complain", 1, {});
  call("Back", 1, {});
  EXPECT_LT(used() - before + (32 << 10), 160u << 10);
}

TEST_F(MethodTest, FailureThatIsNoneIsUnknown) {
  AddHandler(server_, kLook,
             [](const CallContext&, wire::KeyValue,
                TypedResponder<wire::Status> responder) {
               responder.Fail(absl::OkStatus());
             });
  const auto result = Ask(kLook, wire::KeyValue());
  EXPECT_THAT(result.reply, StatusIs(absl::StatusCode::kUnknown));
  EXPECT_EQ(result.outcome, Outcome::kAnswered);
}

TEST_F(MethodTest, ThousandCallsFromTheCallbacksOfOthersAllEnd) {
  int left = 1000;
  int ended = 0;
  absl::AnyInvocable<void()> next = [&] {
    if (left-- <= 0) return;
    wire::KeyValue request;
    request.set_key(std::to_string(left));
    const std::string expected = request.key() + "=";
    Call(*client_, kLook, request, {},
         [&, expected](CallResult<wire::Status> result) {
           ++ended;
           ASSERT_THAT(result.reply, IsOk());
           EXPECT_EQ(std::string(result.reply->message()), expected);
           next();
         });
  };
  for (int i = 0; i < 64; ++i) next();
  RunUntil(*loop_, [&] { return ended == 1000; });
  EXPECT_EQ(client_->outstanding(), 0u);
  EXPECT_EQ(server_.in_flight(), 0u);
}

}  // namespace
}  // namespace ttrpc
}  // namespace external_containerizer

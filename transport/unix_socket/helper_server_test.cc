// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The answers of a helper to agents that violate the protocol.

#include "external_containerizer/transport/unix_socket/helper_server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/mock/script.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

namespace v1 = helper::v1;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class HelperServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto script = ScriptTransport(script_)(*loop_);
    ASSERT_THAT(script, IsOk());
    HelperOptions options;
    options.outdated = [this] { return outdated_; };
    options.max_connections = 3;
    options.max_kept_bytes = 8 << 20;
    server_ = std::make_unique<HelperServer>(*loop_, *std::move(script),
                                             std::move(options));
    client_ = Connect();
  }

  void TearDown() override {
    client_.reset();
    server_.reset();
  }

  std::unique_ptr<ttrpc::Client> Connect() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                         ends),
              0);
    // A connection beyond the limit is closed.
    static_cast<void>(server_->Adopt(ends[0]));
    auto client = ttrpc::Client::Create(*loop_, ends[1]);
    EXPECT_THAT(client, IsOk());
    return *std::move(client);
  }

  template <typename Request, typename Reply>
  std::shared_ptr<absl::StatusOr<Reply>> Call(
      const ttrpc::Method<Request, Reply>& method, const Request& request) {
    auto reply = std::make_shared<absl::StatusOr<Reply>>();
    ttrpc::Call(*client_, method, request, {},
                [reply](ttrpc::CallResult<Reply> result) {
                  *reply = std::move(result.reply);
                });
    return reply;
  }

  template <typename Reply>
  absl::StatusOr<Reply> Await(std::shared_ptr<absl::StatusOr<Reply>> reply) {
    // Until then it is UNKNOWN, without words.
    ttrpc::RunUntil(*loop_, [&reply] {
      return reply->ok() || !reply->status().message().empty();
    });
    return *std::move(reply);
  }

  template <typename Request, typename Reply>
  absl::StatusOr<Reply> Run(const ttrpc::Method<Request, Reply>& method,
                            const Request& request) {
    return Await(Call(method, request));
  }

  v1::HelloReply Hello(uint32_t oldest = 1, uint32_t newest = 1) {
    v1::HelloRequest request;
    request.set_oldest_version(oldest);
    request.set_newest_version(newest);
    const auto reply = Run(helper::kHello, request);
    EXPECT_THAT(reply, IsOk());
    return reply.ok() ? *reply : v1::HelloReply();
  }

  static v1::CommandRequest CommandOf(uint64_t key) {
    v1::CommandRequest request;
    request.set_key(key);
    return request;
  }

  std::shared_ptr<ScriptedCall> Next() {
    ttrpc::RunUntil(*loop_, [this] { return script_->HasCall(); });
    return script_->Next(absl::ZeroDuration());
  }

  bool outdated_ = false;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::shared_ptr<Script> script_ = std::make_shared<Script>(100'000);
  std::unique_ptr<HelperServer> server_;
  std::unique_ptr<ttrpc::Client> client_;
};

TEST_F(HelperServerTest, HelloSaysWhoItIsAndWhatItCan) {
  v1::HelloReply hello = Hello();
  EXPECT_EQ(hello.version(), 1u);
  EXPECT_EQ(hello.pid(), getpid());
  EXPECT_FALSE(hello.outdated());
  // Earlier agents cancel nothing, and upload nothing, without these names.
  EXPECT_THAT(hello.capabilities(),
              UnorderedElementsAre("cancel", "upload", "fetch", "shutdown"));
  EXPECT_GT(hello.limits().max_commands(), 10'000u);
  outdated_ = true;
  EXPECT_TRUE(Hello().outdated());
}

TEST_F(HelperServerTest, HelloOfNewerAgentsFindsTheCommonVersion) {
  EXPECT_EQ(Hello(1, 9).version(), 1u);
  EXPECT_EQ(Hello(0, 1).version(), 1u);
}

TEST_F(HelperServerTest, WithoutACommonVersionThereAreNoCommands) {
  const v1::HelloReply hello = Hello(2, 9);
  EXPECT_EQ(hello.version(), 0u);
  EXPECT_EQ(hello.oldest_version(), 1u);
  EXPECT_EQ(hello.newest_version(), 1u);
  const auto reply = Run(helper::MethodOf(Command::kLaunch), CommandOf(1));
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->ending(), v1::NOT_STARTED);
  EXPECT_FALSE(script_->HasCall());
}

TEST_F(HelperServerTest, NothingIsDoneBeforeHello) {
  for (const Command command : helper::kCommands) {
    const auto reply = Run(helper::MethodOf(command), CommandOf(1));
    ASSERT_THAT(reply, IsOk());
    EXPECT_EQ(reply->ending(), v1::NOT_STARTED);
    EXPECT_THAT(reply->failure().message(), HasSubstr("Hello comes first"));
  }
  const auto refused = StatusIs(absl::StatusCode::kFailedPrecondition,
                                HasSubstr("Hello comes first"));
  EXPECT_THAT(Run(helper::kCancel, v1::CancelRequest()).status(), refused);
  EXPECT_THAT(Run(helper::kUpload, v1::UploadRequest()).status(), refused);
  EXPECT_THAT(Run(helper::kFetch, v1::FetchRequest()).status(), refused);
  EXPECT_FALSE(script_->HasCall());
  EXPECT_THAT(Run(helper::kPing, v1::PingRequest()), IsOk());
}

TEST_F(HelperServerTest, OneConnectionsHelloIsNotAnothers) {
  Hello();
  client_ = Connect();
  const auto reply = Run(helper::MethodOf(Command::kUsage), CommandOf(1));
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->ending(), v1::NOT_STARTED);
}

TEST_F(HelperServerTest, KeyInUseIsRefusedAndItsCommandGoesOn) {
  Hello();
  const auto first = Call(helper::MethodOf(Command::kWait), CommandOf(7));
  const auto call = Next();
  const auto second = Run(helper::MethodOf(Command::kUsage), CommandOf(7));
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ(second->ending(), v1::NOT_STARTED);
  EXPECT_THAT(second->failure().message(), HasSubstr("key 7"));
  call->Succeed("w");
  EXPECT_EQ(Await(first)->output(), "w");
  // Now it is free.
  const auto third = Call(helper::MethodOf(Command::kUsage), CommandOf(7));
  Next()->Succeed("u");
  EXPECT_EQ(Await(third)->output(), "u");
}

TEST_F(HelperServerTest, CancelOfWhatIsNotThereFindsNothing) {
  Hello();
  v1::CancelRequest request;
  request.set_key(5);
  EXPECT_FALSE(Run(helper::kCancel, request)->found());
}

TEST_F(HelperServerTest, UploadIsOneCommandsAndBounded) {
  Hello();
  v1::CommandRequest whole = CommandOf(3);
  whole.set_message("message");
  const std::string bytes = whole.SerializeAsString();
  v1::UploadRequest part;
  part.set_key(3);
  part.set_part(bytes.substr(0, 4));
  EXPECT_THAT(Run(helper::kUpload, part), IsOk());
  part.set_part(bytes.substr(4));
  EXPECT_THAT(Run(helper::kUpload, part), IsOk());
  v1::CommandRequest go = CommandOf(3);
  go.set_uploaded(true);
  const auto reply = Call(helper::MethodOf(Command::kUpdate), go);
  const auto call = Next();
  EXPECT_EQ(call->invocation().input, "message");
  call->Succeed();
  EXPECT_THAT(Await(reply), IsOk());
  // It was taken; and nonsense is none.
  EXPECT_EQ(Run(helper::MethodOf(Command::kUpdate), go)->ending(),
            v1::NOT_STARTED);
  part.set_part("\xff\xff\xff");
  EXPECT_THAT(Run(helper::kUpload, part), IsOk());
  EXPECT_EQ(Run(helper::MethodOf(Command::kUpdate), go)->ending(),
            v1::NOT_STARTED);
  // The bound for one command, and the bound for all together.
  part.set_part(std::string(3 << 20, 'x'));
  EXPECT_THAT(Run(helper::kUpload, part), IsOk());
  EXPECT_THAT(Run(helper::kUpload, part), IsOk());
  EXPECT_THAT(Run(helper::kUpload, part).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  for (uint64_t key = 10; key < 12; ++key) {
    part.set_key(key);
    EXPECT_THAT(Run(helper::kUpload, part), IsOk());
  }
  part.set_key(12);
  EXPECT_THAT(Run(helper::kUpload, part).status(),
              StatusIs(absl::StatusCode::kResourceExhausted));
  // Cancel gives it back.
  v1::CancelRequest cancel;
  cancel.set_key(10);
  EXPECT_THAT(Run(helper::kCancel, cancel), IsOk());
  EXPECT_THAT(Run(helper::kUpload, part), IsOk());
}

TEST_F(HelperServerTest, UploadsAreNoMoreThanCommandsMayBe) {
  const uint64_t most = Hello().limits().max_commands();
  v1::UploadRequest part;
  std::shared_ptr<absl::StatusOr<v1::UploadReply>> last;
  for (uint64_t key = 1; key <= most; ++key) {
    part.set_key(key);
    last = Call(helper::kUpload, part);
    if (key % 1000 == 0) {
      EXPECT_THAT(Await(last), IsOk());
    }
  }
  EXPECT_THAT(Await(last), IsOk());
  part.set_key(most + 1);
  EXPECT_THAT(Run(helper::kUpload, part).status(),
              StatusIs(absl::StatusCode::kResourceExhausted));
  part.set_key(most);
  EXPECT_THAT(Run(helper::kUpload, part), IsOk());
}

TEST_F(HelperServerTest, FetchIsWithinAKeptAnswer) {
  Hello();
  v1::FetchRequest fetch;
  fetch.set_key(4);
  EXPECT_THAT(Run(helper::kFetch, fetch).status(),
              StatusIs(absl::StatusCode::kNotFound));
  const auto reply = Call(helper::MethodOf(Command::kContainers), CommandOf(4));
  Next()->Succeed(std::string(5 << 20, 'x'));
  EXPECT_EQ(Await(reply)->output_size(), 5u << 20);
  fetch.set_offset(6 << 20);
  EXPECT_THAT(Run(helper::kFetch, fetch).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  fetch.set_offset((5 << 20) - 3);
  EXPECT_EQ(Run(helper::kFetch, fetch)->part(), "xxx");
  // That was the end of it.
  EXPECT_THAT(Run(helper::kFetch, fetch).status(),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(HelperServerTest, KeptAnswersAreBounded) {
  Hello();
  const std::string large(5 << 20, 'x');
  const auto first = Call(helper::MethodOf(Command::kContainers), CommandOf(1));
  Next()->Succeed(large);
  EXPECT_FALSE(Await(first)->has_failure());
  const auto second =
      Call(helper::MethodOf(Command::kContainers), CommandOf(2));
  Next()->Succeed(large);
  const auto reply = Await(second);
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->failure().kind(), v1::Failure::RETRY);
  EXPECT_EQ(reply->failure().code(),
            static_cast<uint32_t>(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(reply->ending(), v1::ENDED);
}

TEST_F(HelperServerTest, ShutdownIsTakenBeforeHello) {
  bool asked = false;
  server_->WhenAskedToEnd([&asked] { asked = true; });
  EXPECT_EQ(Run(helper::kShutdown, v1::ShutdownRequest())->commands(), 0u);
  EXPECT_TRUE(asked);
}

TEST_F(HelperServerTest, ConnectionsAreBoundedAndThoseThereGoOn) {
  Hello();
  auto first = std::move(client_);
  client_ = Connect();
  Hello();
  auto second = std::move(client_);
  client_ = Connect();
  Hello();
  auto third = std::move(client_);
  client_ = Connect();
  EXPECT_THAT(Run(helper::kPing, v1::PingRequest()).status(),
              StatusIs(absl::StatusCode::kUnavailable));
  client_ = std::move(first);
  const auto reply = Call(helper::MethodOf(Command::kUsage), CommandOf(1));
  Next()->Succeed("u");
  EXPECT_EQ(Await(reply)->output(), "u");
  EXPECT_EQ(server_->connections(), 3u);
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Our client with containerd's server, and its client with our server.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/testing/ttrpc/go_peer.h"
#include "external_containerizer/testing/ttrpc/interop.pb.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/frame.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace ttrpc {
namespace {

using interop::Message;
using ::testing::HasSubstr;

constexpr char kService[] = "interop.v1.Peer";
constexpr Method<Message, Message> kEcho{kService, "Echo"};
constexpr Method<Message, Message> kFail{kService, "Fail"};
constexpr Method<Message, Message> kFailPlain{kService, "FailPlain"};
constexpr Method<Message, Message> kContext{kService, "Context"};
constexpr Method<Message, Message> kWait{kService, "Wait"};
constexpr Method<Message, Message> kLarge{kService, "Large"};

// A child process; killed and reaped at the end. Works in `directory`: paths of
// sockets are short there. What it prints goes to the file `out`; what its
// libraries log goes to another, as they may at any time.
class Child {
 public:
  Child(const std::vector<std::string>& argv, const std::string& directory,
        std::string out)
      : out_(std::move(out)), log_(out_ + ".log") {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, out_.c_str(),
                                     O_CREAT | O_WRONLY | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, log_.c_str(),
                                     O_CREAT | O_WRONLY | O_TRUNC, 0600);
    posix_spawn_file_actions_addchdir_np(&actions, directory.c_str());
    std::vector<char*> args;
    for (const std::string& arg : argv) {
      args.push_back(const_cast<char*>(arg.c_str()));
    }
    args.push_back(nullptr);
    const int error =
        posix_spawn(&pid_, args[0], &actions, nullptr, args.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    EXPECT_EQ(error, 0) << strerror(error) << ": " << absl::StrJoin(argv, " ");
    if (error != 0) pid_ = -1;
  }
  ~Child() {
    Kill();
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }

  void Kill() {
    if (pid_ > 0) kill(pid_, SIGKILL);
  }

  bool Ended() {
    if (pid_ <= 0) return true;
    if (waitpid(pid_, &status_, WNOHANG) == 0) return false;
    pid_ = -1;
    return true;
  }

  // After it has ended: as of waitpid.
  int status() const { return status_; }

  std::string Output() const { return Read(out_); }
  std::string Log() const { return Read(log_); }

 private:
  static std::string Read(const std::string& path) {
    std::string text(4096, 0);
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t n = read(fd, text.data(), text.size());
    close(fd);
    text.resize(n < 0 ? 0 : static_cast<size_t>(n));
    return text;
  }

  const std::string out_;
  const std::string log_;
  pid_t pid_ = -1;
  int status_ = -1;
};

class InteropTest : public ::testing::Test {
 protected:
  // Once for both suites.
  static void SetUpTestSuite() {
    if (root_ != nullptr) return;
    std::string pattern = ::testing::TempDir() + "/interop.XXXXXX";
    root_ = new std::string(mkdtemp(pattern.data()));
    const std::string sources = TestDataPath("testing/ttrpc/peer.go");
    peer_ = new absl::StatusOr<GoPeer>(
        BuildGoPeer(sources.substr(0, sources.rfind('/')), *root_));
  }

  void SetUp() override {
    const absl::Status packages = HasGoPackages();
    if (!packages.ok()) GTEST_SKIP() << packages.message();
    ASSERT_THAT(*peer_, IsOk());
    name_ = absl::StrCat(sockets_++);
    path_ = absl::StrCat(*root_, "/", name_);
  }

  std::unique_ptr<Child> Peer(std::vector<std::string> args) {
    args.insert(args.begin(), (*peer_)->path);
    args.insert(args.begin() + 2, name_);
    return std::make_unique<Child>(args, *root_, path_ + ".out");
  }

  template <typename T>
  CallResult<T> Await(std::optional<CallResult<T>>& result) {
    RunUntil(*loop_, [&] { return result.has_value(); });
    if (result.has_value()) return *std::move(result);
    return {absl::AbortedError("it did not end"), Outcome::kUnknown};
  }

  static std::string* root_;
  static absl::StatusOr<GoPeer>* peer_;
  static int sockets_;

  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::string name_;
  std::string path_;  // Of the socket.
};

std::string* InteropTest::root_ = nullptr;
absl::StatusOr<GoPeer>* InteropTest::peer_ = nullptr;
int InteropTest::sockets_ = 0;

class GoServerTest : public InteropTest {
 protected:
  void SetUp() override {
    InteropTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    server_ = Peer({"server"});
    RunUntil(*loop_, [&] {
      return server_->Ended() || server_->Output() == "ready\n";
    });
    auto fd = ConnectUnix(path_);
    ASSERT_THAT(fd, IsOk()) << server_->Log();
    client_ = *Client::Create(*loop_, *fd);
  }

  CallResult<Message> Ask(const Method<Message, Message>& method,
                          const Message& request, CallOptions options = {}) {
    std::optional<CallResult<Message>> result;
    Call(*client_, method, request, std::move(options),
         [&](CallResult<Message> r) { result = std::move(r); });
    return Await(result);
  }

  void ExpectWorks() {
    Message request;
    request.set_text("still there");
    const auto result = Ask(kEcho, request);
    ASSERT_THAT(result.reply, IsOk());
    EXPECT_EQ(result.reply->text(), "still there");
  }

  std::unique_ptr<Child> server_;
  std::unique_ptr<Client> client_;
};

TEST_F(GoServerTest, EchoesWhatOurClientSends) {
  Message request;
  request.set_text("gr\u00fc\u00dfe");
  request.set_data(std::string("\0\xff", 2));
  request.set_number(-1);
  auto result = Ask(kEcho, request);
  ASSERT_THAT(result.reply, IsOk());
  EXPECT_EQ(result.reply->SerializeAsString(), request.SerializeAsString());
  EXPECT_EQ(result.outcome, Outcome::kAnswered);
  result = Ask(kEcho, Message());
  ASSERT_THAT(result.reply, IsOk());
  EXPECT_EQ(result.reply->ByteSizeLong(), 0u);
}

TEST_F(GoServerTest, ErrorsHaveTheirCodes) {
  Message request;
  request.set_text("why");
  for (int code = 1; code <= 16; ++code) {
    request.set_number(code);
    const auto result = Ask(kFail, request);
    EXPECT_THAT(result.reply,
                StatusIs(static_cast<absl::StatusCode>(code), "why"));
    EXPECT_EQ(result.outcome, Outcome::kAnswered);
  }
  EXPECT_THAT(Ask(kFailPlain, request).reply,
              StatusIs(absl::StatusCode::kUnknown, "why"));
  EXPECT_THAT(Ask({kService, "Nope"}, request).reply,
              StatusIs(absl::StatusCode::kUnimplemented, "method Nope"));
  EXPECT_THAT(Ask({"no.S", "Echo"}, request).reply,
              StatusIs(absl::StatusCode::kUnimplemented, "service no.S"));
}

TEST_F(GoServerTest, SeesOurMetadataAndDeadline) {
  Message request;
  request.set_text("key");
  auto result =
      Ask(kContext, request,
          {absl::Minutes(1),
           {{"Key", "one"}, {"other", "x"}, {"key", "gr\u00fc\u00dfe"}}});
  ASSERT_THAT(result.reply, IsOk());
  EXPECT_EQ(result.reply->text(), "one,gr\u00fc\u00dfe");
  EXPECT_GT(result.reply->number(), 30'000'000'000);
  EXPECT_LE(result.reply->number(), 60'000'000'000);
  result = Ask(kContext, request);
  ASSERT_THAT(result.reply, IsOk());
  EXPECT_EQ(result.reply->number(), 0);
}

TEST_F(GoServerTest, TimeoutEndsACallAndTheNextOneWorks) {
  const auto result = Ask(kWait, Message(), {absl::Milliseconds(20), {}});
  EXPECT_THAT(result.reply, StatusIs(absl::StatusCode::kDeadlineExceeded));
  ExpectWorks();
}

TEST_F(GoServerTest, SixtyFourCallsOutstandingAllEndRight) {
  int started = 0;
  int ended = 0;
  absl::AnyInvocable<void()> next = [&] {
    if (started == 6400) return;
    Message request;
    request.set_number(++started);
    Call(*client_, kEcho, request, {},
         [&, number = started](CallResult<Message> result) {
           ++ended;
           ASSERT_THAT(result.reply, IsOk());
           EXPECT_EQ(result.reply->number(), number);
           next();
         });
  };
  for (int i = 0; i < 64; ++i) next();
  RunUntil(*loop_, [&] { return ended == 6400; });
}

TEST_F(GoServerTest, PayloadsUpToFourMiBTravelAndLargerOnesAreRefused) {
  Message request;
  for (size_t size : {size_t{1} << 10, size_t{1} << 20, kMaxFrameBody - 100}) {
    request.set_data(std::string(size, 'x'));
    const auto result = Ask(kEcho, request);
    ASSERT_THAT(result.reply, IsOk()) << size;
    EXPECT_EQ(result.reply->data(), request.data());
  }
  request.set_data(std::string(kMaxFrameBody, 'x'));
  auto result = Ask(kEcho, request);
  EXPECT_THAT(result.reply, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_EQ(result.outcome, Outcome::kNotSent);
  request.Clear();
  request.set_number(5 << 20);
  result = Ask(kLarge, request);
  EXPECT_EQ(result.outcome, Outcome::kUnknown);
  if ((*peer_)->is_1_2) {
    // It refuses to send what is too large, and closes the connection.
    EXPECT_THAT(result.reply, StatusIs(absl::StatusCode::kUnavailable));
  } else {
    // It sends it all the same.
    EXPECT_THAT(result.reply, StatusIs(absl::StatusCode::kResourceExhausted));
    ExpectWorks();
  }
}

TEST_F(GoServerTest, KilledServerLeavesAnUnknownOutcome) {
  std::optional<CallResult<Message>> result;
  Call(*client_, kWait, Message(), {},
       [&](CallResult<Message> r) { result = std::move(r); });
  ExpectWorks();
  server_->Kill();
  const auto ended = Await(result);
  EXPECT_THAT(ended.reply, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(ended.outcome, Outcome::kUnknown);
  EXPECT_EQ(Ask(kEcho, Message()).outcome, Outcome::kNotSent);
}

TEST_F(GoServerTest, KilledInTheMiddleOfFramesEndsEveryCallOnce) {
  Message request;
  request.set_number(4'000'000);
  int answered = 0;
  int unknown = 0;
  constexpr int kCalls = 32;
  for (int i = 0; i < kCalls; ++i) {
    Call(*client_, kLarge, request, {}, [&](CallResult<Message> result) {
      if (result.reply.ok()) {
        EXPECT_EQ(result.reply->data().size(), 4'000'000u);
        if (++answered == 1) server_->Kill();
        return;
      }
      EXPECT_THAT(result.reply, StatusIs(absl::StatusCode::kUnavailable));
      EXPECT_EQ(result.outcome, Outcome::kUnknown);
      ++unknown;
    });
  }
  RunUntil(*loop_, [&] { return answered + unknown == kCalls; });
  EXPECT_GE(answered, 1);
  EXPECT_GE(unknown, 1);
  EXPECT_EQ(client_->outstanding(), 0u);
}

class GoClientTest : public InteropTest {
 protected:
  void SetUp() override {
    InteropTest::SetUp();
    if (HasFatalFailure() || IsSkipped()) return;
    AddHandler(server_, kEcho,
               [this](const CallContext&, Message request,
                      TypedResponder<Message> responder) {
                 ++echoes_;
                 responder.Finish(request);
               });
    AddHandler(
        server_, kFail,
        [](const CallContext&, Message request,
           TypedResponder<Message> responder) {
          responder.Fail(absl::Status(
              static_cast<absl::StatusCode>(request.number()), request.text()));
        });
    AddHandler(server_, kContext,
               [](const CallContext& context, Message request,
                  TypedResponder<Message> responder) {
                 std::vector<std::string> values;
                 for (const auto& [key, value] : context.metadata) {
                   if (key == request.text()) values.push_back(value);
                 }
                 Message reply;
                 reply.set_text(absl::StrJoin(values, ","));
                 if (context.timeout != absl::InfiniteDuration()) {
                   reply.set_number(absl::ToInt64Nanoseconds(context.timeout));
                 }
                 responder.Finish(reply);
               });
    AddHandler(
        server_, kWait,
        [this](const CallContext&, Message, TypedResponder<Message> responder) {
          waiting_.push_back(std::move(responder));
        });
    AddHandler(server_, kLarge,
               [](const CallContext&, Message request,
                  TypedResponder<Message> responder) {
                 Message reply;
                 reply.set_data(
                     std::string(static_cast<size_t>(request.number()), 'x'));
                 responder.Finish(reply);
               });
    auto listener = ListenUnix(path_);
    ASSERT_THAT(listener, IsOk());
    ASSERT_THAT(server_.Listen(*listener), IsOk());
  }

  int echoes_ = 0;
  std::vector<TypedResponder<Message>> waiting_;
  Server server_{*loop_};
};

TEST_F(GoClientTest, FindsOurServerRight) {
  auto client = Peer({"client"});
  RunUntil(*loop_, [&] { return client->Ended(); });
  EXPECT_EQ(client->status(), 0);
  EXPECT_EQ(client->Output(), "ok\n") << client->Log();
  RunUntil(*loop_, [&] { return server_.connections() == 0; });
}

TEST_F(GoClientTest, KilledInTheMiddleOfFramesIsForgottenAndTheNextIsServed) {
  auto flood = Peer({"flood"});
  RunUntil(*loop_, [&] { return echoes_ >= 20 || flood->Ended(); });
  EXPECT_GE(echoes_, 20) << flood->Log();
  flood->Kill();
  RunUntil(*loop_, [&] { return server_.connections() == 0; });
  EXPECT_EQ(server_.in_flight(), 0u);
  auto client = Peer({"client"});
  RunUntil(*loop_, [&] { return client->Ended(); });
  EXPECT_EQ(client->Output(), "ok\n") << client->Log();
}

}  // namespace
}  // namespace ttrpc
}  // namespace external_containerizer

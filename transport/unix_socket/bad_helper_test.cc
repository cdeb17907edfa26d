// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Helpers that violate the protocol: no helper makes the agent wait for ever,
// each error message helps the operator, and other commands go on.

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/inherited_environment.h"
#include "external_containerizer/transport/leftovers.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/command_line.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/transport.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "external_containerizer/transport/unix_socket/commands.h"
#include "external_containerizer/transport/unix_socket/connector.h"
#include "external_containerizer/transport/unix_socket/helper.h"
#include "external_containerizer/transport/unix_socket/helper_process.h"
#include "external_containerizer/transport/unix_socket/unix_socket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

namespace v1 = helper::v1;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ttrpc::CallContext;
using ttrpc::FrameType;
using ttrpc::RawPeer;
using ttrpc::SeenFrame;
using ttrpc::TypedResponder;

class BadHelperTest : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ = ::testing::TempDir() + "/b.XXXXXX";
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
    options_.program = "bad\n";
    options_.work_directory = directory_;
    options_.socket = directory_ + "/s.sock";
    options_.inherit = std::vector<std::string>();
    options_.start_timeout = absl::Seconds(5);
    options_.probe_interval = absl::Milliseconds(50);
    options_.probe_timeout = absl::Milliseconds(100);
    options_.cancel_patience = absl::Milliseconds(100);
    options_.min_backoff = absl::Milliseconds(1);
    options_.max_backoff = absl::Milliseconds(50);
    hello_.set_version(1);
    hello_.set_oldest_version(1);
    hello_.set_newest_version(1);
    hello_.set_pid(4711);
    hello_.add_capabilities("cancel");
    hello_.add_capabilities("fetch");
    hello_.add_capabilities("from the future");
    hello_.mutable_limits()->set_max_commands(1000);
  }

  void TearDown() override {
    transport_.reset();
    server_.reset();
    if (listener_.valid()) loop_->Unwatch(listener_.get());
  }

  // A helper with handlers of the test's own.
  ttrpc::Server& Serve() {
    server_ = std::make_unique<ttrpc::Server>(*loop_);
    ttrpc::AddHandler(*server_, helper::kHello,
                      [this](const CallContext&, v1::HelloRequest,
                             TypedResponder<v1::HelloReply> responder) {
                        ++hellos_;
                        responder.Finish(hello_);
                      });
    ttrpc::AddHandler(*server_, helper::kPing,
                      [](const CallContext&, v1::PingRequest,
                         TypedResponder<v1::PingReply> responder) {
                        responder.Finish(v1::PingReply());
                      });
    const auto listener = ttrpc::ListenUnix(options_.socket);
    EXPECT_THAT(listener, IsOk());
    EXPECT_THAT(server_->Listen(*listener), IsOk());
    return *server_;
  }

  // Answers a command with a reply.
  void Answer(Command command,
              std::function<void(v1::CommandReply&)> fill = nullptr) {
    ttrpc::AddHandler(*server_, helper::MethodOf(command),
                      [fill](const CallContext&, v1::CommandRequest,
                             TypedResponder<v1::CommandReply> responder) {
                        v1::CommandReply reply;
                        if (fill) fill(reply);
                        responder.Finish(reply);
                      });
  }

  // Serves, and is told to end.
  void CountShutdowns(std::function<void()> shutdown = nullptr) {
    Serve();
    ttrpc::AddHandler(
        *server_, helper::kShutdown,
        [this, shutdown](const CallContext&, v1::ShutdownRequest,
                         TypedResponder<v1::ShutdownReply> responder) {
          ++shutdowns_;
          if (shutdown) shutdown();
          responder.Finish(v1::ShutdownReply());
        });
  }

  // An agent that would start a helper; it never gets that far.
  void ConnectAndStart() {
    const std::string program = directory_ + "/program";
    transport_ = std::make_unique<unix_socket_internal::UnixSocket>(
        *loop_, options_,
        std::make_unique<Leftovers>(loop_.get(), nullptr, absl::ZeroDuration()),
        std::make_unique<Connector>(
            *loop_, options_, options_.socket, Environment(),
            std::make_unique<HelperProcess>(
                *loop_,
                HelperProcess::Program{
                    program, CommandLine{program, {program}, false},
                    InheritedEnvironment(environ, {}), directory_},
                UniqueFd(open(directory_.c_str(),
                              O_RDONLY | O_DIRECTORY | O_CLOEXEC)))));
  }

  // A helper whose frames the test writes itself.
  void ListenRaw() {
    const auto listener = ttrpc::ListenUnix(options_.socket);
    ASSERT_THAT(listener, IsOk());
    listener_.Reset(*listener);
  }

  RawPeer Accept() {
    int fd = -1;
    ttrpc::RunUntil(*loop_, [&] {
      fd = accept4(listener_.get(), nullptr, nullptr,
                   SOCK_CLOEXEC | SOCK_NONBLOCK);
      return fd >= 0;
    });
    return RawPeer(fd);
  }

  void AnswerHello(RawPeer& peer) {
    const SeenFrame frame = peer.Read(*loop_);
    EXPECT_EQ(frame.AsRequest().method(), "Hello");
    peer.Write(*loop_, ttrpc::ReplyFrame(frame.id, hello_.SerializeAsString()));
  }

  static std::string UsageReply(const std::string& output) {
    v1::CommandReply reply;
    reply.set_has_output(true);
    reply.set_output(output);
    reply.set_output_size(output.size());
    return reply.SerializeAsString();
  }

  std::shared_ptr<std::optional<::external_containerizer::Answer>> Invoke(
      Command command, absl::Duration timeout = absl::InfiniteDuration(),
      std::string input = "", Environment environment = {}) {
    if (transport_ == nullptr) {
      auto transport = UnixSocketTransport(options_)(*loop_);
      EXPECT_THAT(transport, IsOk());
      transport_ = *std::move(transport);
    }
    Invocation invocation;
    invocation.command = command;
    invocation.input = std::move(input);
    invocation.environment = std::move(environment);
    invocation.timeout = timeout;
    auto answer =
        std::make_shared<std::optional<::external_containerizer::Answer>>();
    last_ = transport_->Invoke(
        std::move(invocation),
        [answer](::external_containerizer::Answer given) {
          EXPECT_FALSE(answer->has_value()) << "called twice";
          *answer = std::move(given);
        });
    return answer;
  }

  ::external_containerizer::Answer Await(
      const std::shared_ptr<std::optional<::external_containerizer::Answer>>&
          answer) {
    ttrpc::RunUntil(*loop_, [&answer] { return answer->has_value(); });
    return answer->value_or(::external_containerizer::Answer());
  }

  ::external_containerizer::Answer Run(Command command) {
    return Await(Invoke(command));
  }

  void ExpectNotStarted(absl::StatusCode code,
                        const std::vector<std::string>& texts) {
    const auto answer = Run(Command::kLaunch);
    EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
    EXPECT_EQ(answer.status.code(), code) << answer.status;
    for (const std::string& text : texts) {
      EXPECT_THAT(std::string(answer.status.message()), HasSubstr(text));
    }
    for (const char c : std::string(answer.status.message())) {
      EXPECT_TRUE(c >= ' ' && c <= '~') << answer.status;
    }
  }

  std::string directory_;
  UnixSocketOptions options_;
  v1::HelloReply hello_;
  int hellos_ = 0;
  int shutdowns_ = 0;
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  std::unique_ptr<ttrpc::Server> server_;
  UniqueFd listener_;
  std::unique_ptr<Transport> transport_;
  InvocationId last_ = 0;
};

TEST_F(BadHelperTest, NewerOneSaysToUpdateTheAgent) {
  hello_.set_version(0);
  hello_.set_oldest_version(7);
  hello_.set_newest_version(9);
  Serve();
  ExpectNotStarted(absl::StatusCode::kFailedPrecondition,
                   {"process 4711", "speaks versions 7 to 9",
                    "update the agent", "\"bad\\n\""});
}

TEST_F(BadHelperTest, OlderOneOfAnOperatorSaysToUpdateTheHelper) {
  hello_.set_version(0);
  hello_.set_oldest_version(0);
  hello_.set_newest_version(0);
  Serve();
  ExpectNotStarted(absl::StatusCode::kFailedPrecondition,
                   {"update the helper"});
}

TEST_F(BadHelperTest, OneOfAnOlderVersionIsToldToEndAndItsSuccessorIsUsed) {
  hello_.set_version(0);
  hello_.set_newest_version(0);
  hello_.clear_capabilities();
  CountShutdowns([this] {
    hello_.set_version(1);
    hello_.set_newest_version(1);
  });
  Answer(Command::kDestroy);
  ConnectAndStart();
  EXPECT_THAT(Run(Command::kDestroy).status, IsOk());
  EXPECT_EQ(shutdowns_, 1);
  EXPECT_EQ(hellos_, 2);
}

TEST_F(BadHelperTest, OutdatedOneThatStaysIsToldToEndOnceAndThenUsed) {
  hello_.set_outdated(true);
  hello_.add_capabilities("shutdown");
  CountShutdowns();
  Answer(Command::kDestroy);
  ConnectAndStart();
  EXPECT_THAT(Run(Command::kDestroy).status, IsOk());
  EXPECT_EQ(shutdowns_, 1);
  EXPECT_EQ(hellos_, 2);
}

TEST_F(BadHelperTest, OutdatedOneIsUsedIfItCannotBeToldToEndOrIsAnOperators) {
  hello_.set_outdated(true);
  CountShutdowns();
  Answer(Command::kDestroy);
  ConnectAndStart();
  EXPECT_THAT(Run(Command::kDestroy).status, IsOk());
  transport_.reset();
  hello_.add_capabilities("shutdown");
  EXPECT_THAT(Run(Command::kDestroy).status, IsOk());
  EXPECT_EQ(shutdowns_, 0);
  EXPECT_EQ(hellos_, 2);
}

TEST_F(BadHelperTest, VersionThatWasNotOfferedIsRefused) {
  hello_.set_version(5);
  Serve();
  ExpectNotStarted(absl::StatusCode::kFailedPrecondition,
                   {"chose version 5", "not offered"});
}

TEST_F(BadHelperTest, OtherServiceIsNoHelper) {
  server_ = std::make_unique<ttrpc::Server>(*loop_);
  const auto listener = ttrpc::ListenUnix(options_.socket);
  ASSERT_THAT(listener, IsOk());
  ASSERT_THAT(server_->Listen(*listener), IsOk());
  ExpectNotStarted(absl::StatusCode::kFailedPrecondition,
                   {"does not say Hello", "is it a helper"});
}

TEST_F(BadHelperTest, OneThatNeverSaysHelloHangs) {
  ListenRaw();
  ExpectNotStarted(absl::StatusCode::kUnavailable,
                   {absl::StrCat("process ", getpid()), "hangs",
                    absl::StrCat("kill -9 ", getpid())});
}

TEST_F(BadHelperTest, TimeThatEndsBeforeHelloSaysWhoHasNotSaidIt) {
  options_.probe_timeout = absl::Hours(1);
  ListenRaw();
  const auto answer =
      Await(Invoke(Command::kLaunch, /*timeout=*/absl::Milliseconds(50)));
  EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  EXPECT_THAT(answer.status,
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       AllOf(HasSubstr(absl::StrCat("process ", getpid())),
                             HasSubstr("has not said Hello yet"))));
}

TEST_F(BadHelperTest, GarbageInPlaceOfHelloIsTriedAgainAndGivenUp) {
  options_.start_timeout = absl::Seconds(1);
  ListenRaw();
  int accepted = 0;
  ASSERT_THAT(loop_->Watch(listener_.get(), EPOLLIN,
                           [this, &accepted](uint32_t) {
                             const UniqueFd fd(accept4(listener_.get(), nullptr,
                                                       nullptr, SOCK_CLOEXEC));
                             ++accepted;
                             EXPECT_EQ(
                                 write(fd.get(), "HTTP/1.1 400 no\r\n\r\n", 19),
                                 19);
                           }),
              IsOk());
  ExpectNotStarted(absl::StatusCode::kUnavailable, {"does not say Hello"});
  EXPECT_GT(accepted, 1);
  EXPECT_LT(accepted, 40);
}

TEST_F(BadHelperTest, HowOneBrokeOffSaysMoreThanThatTheNextHasNotSaidHello) {
  options_.start_timeout = absl::Milliseconds(500);
  options_.probe_timeout = absl::Hours(1);
  ListenRaw();
  const auto answer = Invoke(Command::kLaunch);
  { RawPeer closes = Accept(); }
  RawPeer is_silent = Accept();
  EXPECT_THAT(Await(answer).status, StatusIs(absl::StatusCode::kUnavailable,
                                             HasSubstr("does not say Hello")));
}

TEST_F(BadHelperTest, OneThatDiesAtEachCommandIsReachedWithBackoff) {
  ListenRaw();
  int accepted = 0;
  std::list<RawPeer> peers;
  ASSERT_THAT(loop_->Watch(listener_.get(), EPOLLIN,
                           [&](uint32_t) {
                             peers.emplace_back(
                                 accept4(listener_.get(), nullptr, nullptr,
                                         SOCK_CLOEXEC | SOCK_NONBLOCK));
                             ++accepted;
                           }),
              IsOk());
  // Answers Hello, and closes at the command.
  std::function<void()> serve = [&] {
    if (peers.empty() || !peers.front().Poll()) return;
    const SeenFrame frame = peers.front().Read(*loop_);
    if (frame.AsRequest().method() != "Hello") return peers.pop_front();
    peers.front().WriteSome(
        ttrpc::ReplyFrame(frame.id, hello_.SerializeAsString()));
  };
  const absl::Duration start = MonotonicNow();
  for (int i = 0; i < 6; ++i) {
    const auto answer = Invoke(Command::kUsage);
    ttrpc::RunUntil(*loop_, [&] {
      serve();
      return answer->has_value();
    });
    EXPECT_EQ((*answer)->outcome, Outcome::kUnknown);
    EXPECT_THAT((*answer)->status,
                StatusIs(absl::StatusCode::kUnavailable,
                         AllOf(HasSubstr("(process 4711) may or may not"),
                               HasSubstr("ended or closed the connection"))));
  }
  EXPECT_EQ(accepted, 6);
  // 1 + 2 + 4 + 8 + 16 ms, and none before the first.
  EXPECT_GE(MonotonicNow() - start, absl::Milliseconds(31));
}

TEST_F(BadHelperTest, AnswersThatNobodyAskedForAreIgnored) {
  ListenRaw();
  const auto first = Invoke(Command::kUsage);
  RawPeer peer = Accept();
  AnswerHello(peer);
  const SeenFrame usage = peer.Read(*loop_);
  const std::string reply = ttrpc::ReplyFrame(usage.id, UsageReply("one"));
  peer.Write(*loop_, absl::StrCat(reply, reply, reply));
  EXPECT_EQ(Await(first).output, "one");
  // A second reply to an earlier id, and one to an id that was never used.
  peer.Write(*loop_, absl::StrCat(reply, ttrpc::ReplyFrame(2, "?")));
  const auto second = Invoke(Command::kUsage);
  const SeenFrame next = peer.Read(*loop_);
  peer.Write(*loop_, ttrpc::ReplyFrame(next.id, UsageReply("two")));
  EXPECT_EQ(Await(second).output, "two");
}

TEST_F(BadHelperTest, AnswerToACommandThatWasNotSentEndsTheConnection) {
  ListenRaw();
  const auto first = Invoke(Command::kWait);
  RawPeer peer = Accept();
  AnswerHello(peer);
  const SeenFrame wait = peer.Read(*loop_);
  // More than the kernel takes: it is being written while its answer comes.
  const auto large = Invoke(Command::kLaunch, absl::InfiniteDuration(),
                            std::string(4'000'000, 'x'));
  loop_->RunAfter(absl::Milliseconds(1), [this] { loop_->Stop(); });
  loop_->Run();
  peer.WriteSome(ttrpc::ReplyFrame(wait.id + 2, ""));
  const auto answer = Await(large);
  EXPECT_EQ(answer.outcome, Outcome::kNotStarted);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(Await(first).outcome, Outcome::kUnknown);
}

TEST_F(BadHelperTest, AnswerThatCannotBeReadIsUnknown) {
  ListenRaw();
  const auto usage = Invoke(Command::kUsage);
  RawPeer peer = Accept();
  AnswerHello(peer);
  const SeenFrame frame = peer.Read(*loop_);
  peer.Write(*loop_, ttrpc::ReplyFrame(frame.id, "\xff\xff\xff\xff"));
  const auto answer = Await(usage);
  EXPECT_EQ(answer.outcome, Outcome::kUnknown);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kInternal));
}

TEST_F(BadHelperTest, OneThatFallsSilentIsFoundOutAndNamed) {
  ListenRaw();
  const auto wait = Invoke(Command::kWait);
  RawPeer peer = Accept();
  AnswerHello(peer);
  const auto answer = Await(wait);
  EXPECT_EQ(answer.outcome, Outcome::kUnknown);
  EXPECT_THAT(answer.status,
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("process 4711"), HasSubstr("hangs"),
                             HasSubstr("kill -9 4711"))));
}

TEST_F(BadHelperTest, AgentThatStoodStillItselfDoesNotBlameTheHelper) {
  ListenRaw();
  const auto wait = Invoke(Command::kWait);
  RawPeer peer = Accept();
  AnswerHello(peer);
  const SeenFrame command = peer.Read(*loop_);
  const SeenFrame ping = peer.Read(*loop_);
  ASSERT_EQ(ping.AsRequest().method(), "Ping");
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd out(ends[0]), in(ends[1]);
  // The answer comes while we do something else, for longer than a hung one is
  // given.
  ASSERT_THAT(loop_->Watch(out.get(), EPOLLIN,
                           [&](uint32_t) {
                             loop_->Unwatch(out.get());
                             peer.WriteSome(ttrpc::ReplyFrame(ping.id, ""));
                             // The clock has passed all that it is given.
                             const Deadline over(2 * options_.probe_timeout);
                             while (!over.Expired()) {
                               poll(nullptr, 0, over.PollMilliseconds());
                             }
                           }),
              IsOk());
  ASSERT_EQ(write(in.get(), "", 1), 1);
  ASSERT_EQ(peer.Read(*loop_).AsRequest().method(), "Ping");
  EXPECT_FALSE(wait->has_value());
  peer.Write(*loop_, ttrpc::ReplyFrame(command.id, UsageReply("over")));
  EXPECT_EQ(Await(wait).output, "over");
}

TEST_F(BadHelperTest, OneThatIsBusyForLongDoesNotHang) {
  Serve();
  ttrpc::AddHandler(
      *server_, helper::MethodOf(Command::kUpdate),
      [this](const CallContext&, v1::CommandRequest,
             TypedResponder<v1::CommandReply> responder) {
        auto kept = std::make_shared<TypedResponder<v1::CommandReply>>(
            std::move(responder));
        // Several times as long as a hung one is given.
        loop_->RunAfter(absl::Milliseconds(600),
                        [kept] { kept->Finish(v1::CommandReply()); });
      });
  EXPECT_THAT(Run(Command::kUpdate).status, IsOk());
}

TEST_F(BadHelperTest, OneThatNeverReadsDoesNotOutlastACommandsTime) {
  options_.probe_interval = absl::Hours(1);
  ListenRaw();
  const auto first = Invoke(Command::kWait);
  RawPeer peer = Accept();
  AnswerHello(peer);
  const std::string large(4'000'000, 'x');
  const auto partly = Invoke(Command::kLaunch, absl::Milliseconds(50), large);
  const auto queued = Invoke(Command::kLaunch, absl::Milliseconds(50), large);
  const auto second = Await(queued);
  EXPECT_EQ(second.outcome, Outcome::kNotStarted);
  EXPECT_THAT(second.status, StatusIs(absl::StatusCode::kDeadlineExceeded,
                                      HasSubstr("the helper had not read it")));
  EXPECT_THAT(Await(partly).status,
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_FALSE(first->has_value());
}

TEST_F(BadHelperTest, RecordWhereNoneBelongsIsDataLoss) {
  Serve();
  Answer(Command::kDestroy, [](v1::CommandReply& reply) {
    reply.set_has_output(true);
    reply.set_output("?");
  });
  const auto answer = Run(Command::kDestroy);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(answer.outcome, Outcome::kEnded);
}

TEST_F(BadHelperTest, RecordThatIsAnnouncedAndNotGivenIsUnknown) {
  Serve();
  Answer(Command::kContainers, [](v1::CommandReply& reply) {
    reply.set_has_output(true);
    reply.set_output("begin");
    reply.set_output_size(1000);
  });
  // UNIMPLEMENTED, and then without an end.
  EXPECT_EQ(Run(Command::kContainers).outcome, Outcome::kUnknown);
  ttrpc::AddHandler(*server_, helper::kFetch,
                    [](const CallContext&, v1::FetchRequest,
                       TypedResponder<v1::FetchReply> responder) {
                      responder.Finish(v1::FetchReply());
                    });
  const auto answer = Run(Command::kContainers);
  EXPECT_EQ(answer.outcome, Outcome::kUnknown);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(BadHelperTest, PartsOfWhatIsNotGoneOnWithAreGivenUpThere) {
  hello_.add_capabilities("upload");
  hello_.mutable_limits()->set_max_command_bytes(16 << 20);
  Serve();
  std::vector<uint64_t> cancelled;
  ttrpc::AddHandler(*server_, helper::kCancel,
                    [&](const CallContext&, v1::CancelRequest request,
                        TypedResponder<v1::CancelReply> responder) {
                      cancelled.push_back(request.key());
                      responder.Finish(v1::CancelReply());
                    });
  ttrpc::AddHandler(*server_, helper::kUpload,
                    [](const CallContext&, v1::UploadRequest,
                       TypedResponder<v1::UploadReply> responder) {
                      responder.Fail(absl::InternalError("no"));
                    });
  // The helper has no Fetch.
  Answer(Command::kContainers, [](v1::CommandReply& reply) {
    reply.set_has_output(true);
    reply.set_output_size(1000);
  });
  Answer(Command::kUsage, [](v1::CommandReply& reply) {
    reply.set_has_output(true);
    reply.set_output_size(uint64_t{1} << 60);
  });
  std::vector<uint64_t> expected;
  for (const Command command :
       {Command::kLaunch, Command::kContainers, Command::kUsage}) {
    Environment environment;
    // Too large for one frame.
    if (command == Command::kLaunch) {
      environment["LARGE"] = std::string(5 << 20, 'x');
    }
    const auto answer =
        Invoke(command, absl::InfiniteDuration(), "", environment);
    expected.push_back(last_);
    EXPECT_FALSE(Await(answer).status.ok());
  }
  ttrpc::RunUntil(*loop_, [&] { return cancelled.size() >= expected.size(); });
  EXPECT_EQ(cancelled, expected);
}

TEST_F(BadHelperTest, RecordThatIsAnnouncedAsEndlessIsNotFetched) {
  Serve();
  Answer(Command::kContainers, [](v1::CommandReply& reply) {
    reply.set_has_output(true);
    reply.set_output_size(uint64_t{1} << 60);
  });
  EXPECT_THAT(Run(Command::kContainers).status,
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(BadHelperTest, CommandThatItDoesNotKnowWasNotStarted) {
  Serve();
  ExpectNotStarted(absl::StatusCode::kFailedPrecondition, {"method Launch"});
}

TEST_F(BadHelperTest, OneThatAlwaysSaysThatItShutsDownIsAskedTwice) {
  Serve();
  int asked = 0;
  ttrpc::AddHandler(*server_, helper::MethodOf(Command::kLaunch),
                    [&asked](const CallContext&, v1::CommandRequest,
                             TypedResponder<v1::CommandReply> responder) {
                      ++asked;
                      responder.Fail(absl::UnavailableError("not now"));
                    });
  ExpectNotStarted(absl::StatusCode::kUnavailable, {"not now"});
  EXPECT_EQ(asked, 2);
}

TEST_F(BadHelperTest, FailureWithoutACodeIsAFailure) {
  Serve();
  Answer(Command::kLaunch, [](v1::CommandReply& reply) {
    reply.set_ending(static_cast<v1::Ending>(77));
    reply.mutable_failure()->set_code(0);
  });
  const auto answer = Run(Command::kLaunch);
  EXPECT_EQ(answer.outcome, Outcome::kUnknown);
  EXPECT_THAT(answer.status, StatusIs(absl::StatusCode::kUnknown));
}

TEST_F(BadHelperTest, StderrOfOneThatWritesForEverDoesNotFillTheDisk) {
  options_.socket.clear();
  options_.start_timeout = absl::Minutes(2);
  options_.program = directory_ + "/program";
  std::ofstream(options_.program)
      << "#!/bin/sh\n"
         "while :; do printf %0100000d 0 >&2; sleep 0.001; done\n";
  ASSERT_EQ(chmod(options_.program.c_str(), 0700), 0);
  const auto answer = Invoke(Command::kUsage);
  const std::string file = directory_ + "/helper.stderr";
  off_t before = 0;
  int shortened = 0;
  ttrpc::RunUntil(*loop_, [&] {
    struct stat info = {};
    stat(file.c_str(), &info);
    if (info.st_size < before) ++shortened;
    before = info.st_size;
    return shortened == 3 || before > off_t{1} << 30;
  });
  EXPECT_EQ(shortened, 3);
  EXPECT_FALSE(answer->has_value());
}

TEST_F(BadHelperTest, PathThatIsNoSocketIsRefusedAndUntouched) {
  const int file = open(options_.socket.c_str(), O_CREAT | O_WRONLY, 0600);
  ASSERT_GE(file, 0);
  close(file);
  ExpectNotStarted(absl::StatusCode::kFailedPrecondition, {"it is a file"});
  ASSERT_EQ(unlink(options_.socket.c_str()), 0);
  ASSERT_EQ(mkdir(options_.socket.c_str(), 0700), 0);
  ExpectNotStarted(absl::StatusCode::kFailedPrecondition,
                   {"it is a directory"});
  struct stat info;
  EXPECT_EQ(stat(options_.socket.c_str(), &info), 0);
}

TEST_F(BadHelperTest, PathThatIsTooLongIsRefused) {
  options_.socket = absl::StrCat(directory_, "/", std::string(65, 's'));
  ExpectNotStarted(absl::StatusCode::kInvalidArgument, {"1 to 64 bytes"});
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/client/control_client.h"

#include <memory>
#include <optional>
#include <string>
#include <thread>  // NOLINT
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/containerizer/agent/serve/control.h"
#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/ttrpc/server.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;
using Responder = ttrpc::TypedResponder<control::v1::UpdateReply>;

// An agent, on a thread of its own, with a single method.
class FakeAgent {
 public:
  FakeAgent(const std::string& work_dir, std::function<void(Responder)> update)
      : loop_(*EventLoop::Create()) {
    EXPECT_THAT(MakePath(work_dir), IsOk());
    const auto listener = ttrpc::ListenUnix(control::SocketPath(work_dir));
    EXPECT_THAT(listener, IsOk());
    server_ = std::make_unique<ttrpc::Server>(*loop_);
    AddHandler(
        *server_, control::kUpdate,
        [update](const ttrpc::CallContext&, const control::v1::UpdateRequest&,
                 Responder responder) { update(std::move(responder)); });
    EXPECT_THAT(server_->Listen(*listener), IsOk());
    thread_ = std::thread([this] { loop_->Run(); });
  }

  ~FakeAgent() {
    loop_->Stop();
    thread_.join();
    server_.reset();
  }

  // Answers no call until this is destroyed.
  void Keep(Responder responder) { kept_.emplace(std::move(responder)); }

 private:
  std::unique_ptr<EventLoop> loop_;
  std::optional<Responder> kept_;
  std::unique_ptr<ttrpc::Server> server_;
  std::thread thread_;
};

control::v1::UpdateRequest Request() {
  control::v1::UpdateRequest request;
  request.set_id("one");
  return request;
}

TEST(ControlClientTest, WithoutAnAgentItSaysHowToStartOne) {
  const state::TemporaryDirectory place;
  EXPECT_THAT(ControlClient::Connect(place.path()).status(),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("start one: agent serve --work_dir=")));
}

TEST(ControlClientTest, WhatIsNoSocketIsNoAgent) {
  const state::TemporaryDirectory place;
  state::WriteFile(place / "control/socket", "");
  EXPECT_THAT(
      ControlClient::Connect(place.path()).status(),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("a file")));
}

TEST(ControlClientTest, AnswersAndErrorsAreTheAgents) {
  const state::TemporaryDirectory place;
  int calls = 0;
  const FakeAgent agent(place.path(), [&calls](Responder responder) {
    if (++calls == 1) return responder.Finish(control::v1::UpdateReply());
    responder.Fail(absl::NotFoundError("no such container"));
  });
  const auto client = ControlClient::Connect(place.path());
  ASSERT_THAT(client, IsOk());
  EXPECT_THAT((*client)->Call(control::kUpdate, Request()).status(), IsOk());
  EXPECT_THAT(
      (*client)->Call(control::kUpdate, Request()).status(),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr("no such container")));
}

TEST(ControlClientTest, AnAgentThatGoesAwayMayOrMayNotHaveDoneIt) {
  const state::TemporaryDirectory place;
  absl::Notification called;
  std::optional<FakeAgent> agent;
  agent.emplace(place.path(), [&](Responder responder) {
    agent->Keep(std::move(responder));
    called.Notify();
  });
  const auto client = ControlClient::Connect(place.path());
  ASSERT_THAT(client, IsOk());
  std::thread end([&] {
    called.WaitForNotification();
    agent.reset();
  });
  EXPECT_THAT((*client)->Call(control::kUpdate, Request()).status(),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("may or may not have done it")));
  end.join();
}

TEST(ControlClientTest, APatientCallIsAnsweredByTheNextAgent) {
  const state::TemporaryDirectory place;
  absl::Notification called, away;
  std::optional<FakeAgent> agent;
  agent.emplace(place.path(), [&](Responder responder) {
    agent->Keep(std::move(responder));
    called.Notify();
  });
  std::thread restart([&] {
    called.WaitForNotification();
    agent.reset();
    away.WaitForNotification();
    agent.emplace(place.path(), [](Responder responder) {
      responder.Finish(control::v1::UpdateReply());
    });
  });
  int times_away = 0;
  EXPECT_THAT(CallPatiently(place.path(), control::kUpdate, Request(),
                            absl::Seconds(60),
                            [&](const absl::Status&) {
                              ++times_away;
                              away.Notify();
                            })
                  .status(),
              IsOk());
  EXPECT_EQ(times_away, 1);
  restart.join();
}

TEST(ControlClientTest, PatienceComesToAnEnd) {
  const state::TemporaryDirectory place;
  absl::Status away;
  EXPECT_THAT(CallPatiently(place.path(), control::kUpdate, Request(),
                            absl::Milliseconds(20),
                            [&](const absl::Status& why) { away = why; })
                  .status(),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(away, StatusIs(absl::StatusCode::kUnavailable,
                             HasSubstr("start one: agent serve")));
}

}  // namespace
}  // namespace external_containerizer

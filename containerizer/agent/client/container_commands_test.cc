// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/client/container_commands.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>  // NOLINT
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "external_containerizer/containerizer/agent/run.h"
#include "external_containerizer/containerizer/agent/serve/control.h"
#include "external_containerizer/containerizer/agent/subcommand.h"
#include "external_containerizer/containerizer/agent/user_paths.h"
#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/ttrpc/server.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;

// An agent, on a thread of its own, that answers no launch and no wait.
class FakeAgent {
 public:
  // `container` is the only one in the list.
  FakeAgent(const std::string& work_dir,
            std::optional<control::v1::ListReply::Container> container)
      : loop_(*EventLoop::Create()), container_(std::move(container)) {
    const auto listener = ttrpc::ListenUnix(control::SocketPath(work_dir));
    EXPECT_THAT(listener, IsOk());
    server_ = std::make_unique<ttrpc::Server>(*loop_);
    AddHandler(*server_, control::kList,
               [this](const ttrpc::CallContext&, const auto&, auto responder) {
                 control::v1::ListReply reply;
                 if (!container_) {
                   return responder.Fail(absl::NotFoundError("not held"));
                 }
                 *reply.add_containers() = *container_;
                 responder.Finish(reply);
               });
    AddHandler(
        *server_, control::kWait,
        [this](const ttrpc::CallContext&, const auto& request, auto responder) {
          asked_for_ = request.id();
          if (!container_) {
            return responder.Fail(absl::NotFoundError("not held"));
          }
          wait_.emplace(std::move(responder));
          asked_.Notify();
        });
    AddHandler(
        *server_, control::kLaunch,
        [this](const ttrpc::CallContext&, const auto& request, auto responder) {
          asked_for_ = request.id();
          launch_.emplace(std::move(responder));
          asked_.Notify();
        });
    EXPECT_THAT(server_->Listen(*listener), IsOk());
    thread_ = std::thread([this] { loop_->Run(); });
  }

  ~FakeAgent() {
    loop_->Stop();
    thread_.join();
    server_.reset();
  }

  // Waits for a request. Returns the id in the last one.
  std::string AskedFor() {
    asked_.WaitForNotification();
    return asked_for_;
  }
  // Returns the same without waiting.
  const std::string& asked_for() const { return asked_for_; }

 private:
  std::unique_ptr<EventLoop> loop_;
  const std::optional<control::v1::ListReply::Container> container_;
  absl::Notification asked_;
  std::string asked_for_;
  std::optional<ttrpc::TypedResponder<control::v1::EndReply>> wait_;
  std::optional<ttrpc::TypedResponder<control::v1::LaunchReply>> launch_;
  std::unique_ptr<ttrpc::Server> server_;
  std::thread thread_;
};

struct Result {
  int status;
  std::string err;
};

Result RunCommand(const Subcommand& command,
                  const state::TemporaryDirectory& place,
                  std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(),
                   {command.name, "--work_dir=" + place.path()});
  Surroundings surroundings;
  surroundings.directory = "/";
  surroundings.environment["PATH"] = "/usr/bin:/bin";
  ::testing::internal::CaptureStderr();
  const int status = Dispatch({command}, surroundings, arguments);
  return {status, ::testing::internal::GetCapturedStderr()};
}

TEST(WaitTest, IsForItsContainerAlsoIfTheNameIsAnothersMeanwhile) {
  const state::TemporaryDirectory place;
  control::v1::ListReply::Container container;
  container.set_id("web");
  container.set_state("running");
  container.set_container_id("its id");
  std::optional<FakeAgent> agent;
  agent.emplace(place.path(), container);
  std::thread restart([&] {
    EXPECT_EQ(agent->AskedFor(), "its id");
    agent.reset();
    agent.emplace(place.path(), std::nullopt);
  });
  const Result result = RunCommand(WaitSubcommand(), place, {"web"});
  restart.join();
  EXPECT_EQ(agent->asked_for(), "its id");
  EXPECT_EQ(result.status, kAgentFailed);
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("the agent went away; waiting for it"),
                    HasSubstr("container \"web\" was destroyed")));
}

TEST(WaitTest, IsByTheNameAtAnAgentThatKnowsOfNoIds) {
  const state::TemporaryDirectory place;
  control::v1::ListReply::Container container;
  container.set_id("web");
  container.set_state("running");
  std::optional<FakeAgent> agent;
  agent.emplace(place.path(), container);
  std::thread end([&] {
    EXPECT_EQ(agent->AskedFor(), "web");
    agent.reset();
    agent.emplace(place.path(), std::nullopt);
  });
  EXPECT_EQ(RunCommand(WaitSubcommand(), place, {"web"}).status, kAgentFailed);
  end.join();
}

TEST(LaunchTest, OneThatMayHaveBeenDoneTellsItsName) {
  const state::TemporaryDirectory place;
  std::optional<FakeAgent> agent;
  agent.emplace(place.path(), std::nullopt);
  std::string name;
  std::thread end([&] {
    name = agent->AskedFor();
    agent.reset();
  });
  const Result result =
      RunCommand(LaunchSubcommand(), place, {"--", "sleep", "600"});
  end.join();
  EXPECT_EQ(result.status, kAgentFailed);
  EXPECT_THAT(name, ContainsRegex("^c-[0-9a-f]+$"));
  EXPECT_THAT(result.err, AllOf(HasSubstr("may or may not have done it"),
                                HasSubstr("the container's name is " + name)));
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/serve/control_server.h"

#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/serve/control.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/state/reader.h"
#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/state/writer.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/mock/oracle.h"
#include "external_containerizer/transport/mock/script.h"
#include "external_containerizer/transport/ttrpc/client.h"
#include "external_containerizer/transport/ttrpc/method.h"
#include "external_containerizer/transport/ttrpc/ttrpc_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

namespace v1 = control::v1;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Runs a client and the agent on one loop.
class ControlServerTest : public ::testing::Test {
 protected:
  void Start(TransportFactory transport) {
    StandingAgent::Options options;
    options.work_dir = work_dir_.path();
    options.on_event = [this](const ContainerEvent& event,
                              const ContainerId& id) {
      events_.Add(event, id, absl::UnixEpoch());
    };
    options.transport = [&](StandingAgentOptions::OnStarted) {
      return std::move(transport);
    };
    const auto state = state::ReadAgentState(work_dir_.path());
    ASSERT_THAT(state, IsOk());
    auto agent = StandingAgent::Create(*loop_, options, *state,
                                       *state::Writer::Open(work_dir_.path()));
    ASSERT_THAT(agent, IsOk());
    agent_ = *std::move(agent);
    agent_->Recover([](absl::StatusOr<RecoverySummary>) {});
    server_ = std::make_unique<ttrpc::Server>(*loop_);
    AddControlHandlers(*server_, *loop_, *agent_, events_);
    int sockets[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                         sockets),
              0);
    ASSERT_THAT(server_->Adopt(sockets[0]), IsOk());
    client_ = *ttrpc::Client::Create(*loop_, sockets[1]);
  }

  template <typename Request, typename Reply>
  absl::StatusOr<Reply> Call(const ttrpc::Method<Request, Reply>& method,
                             const Request& request) {
    std::optional<absl::StatusOr<Reply>> reply;
    ttrpc::Call(*client_, method, request, {},
                [&reply](ttrpc::CallResult<Reply> result) {
                  reply = std::move(result.reply);
                });
    ttrpc::RunUntil(*loop_, [&] { return reply.has_value(); });
    return *std::move(reply);
  }

  absl::StatusOr<v1::LaunchReply> Launch(const std::string& id) {
    v1::LaunchRequest request;
    request.set_id(id);
    request.set_program("sleep");
    request.add_arguments("sleep");
    request.add_arguments("600");
    v1::LaunchRequest::Variable& variable = *request.add_environment();
    variable.set_name("NAME");
    variable.set_value("value");
    return Call(control::kLaunch, request);
  }

  const state::TemporaryDirectory work_dir_{state::FastTemporaryPlace()};
  std::shared_ptr<OracleWorld> world_ = std::make_shared<OracleWorld>();
  std::unique_ptr<EventLoop> loop_ = *EventLoop::Create();
  EventLog events_{*loop_};
  std::unique_ptr<StandingAgent> agent_;
  std::unique_ptr<ttrpc::Server> server_;
  std::unique_ptr<ttrpc::Client> client_;
};

TEST_F(ControlServerTest, ALifeOverTheWire) {
  Start(OracleTransport(world_));
  const auto launched = Launch("one");
  ASSERT_THAT(launched, IsOk());
  EXPECT_EQ(launched->id(), "one");
  const std::string id = launched->container_id();
  const wire::Launch launch = world_->Find(id)->launch;
  EXPECT_EQ(launch.task_info().command().value(), "sleep");
  EXPECT_EQ(launch.task_info().command().arguments_size(), 2);
  EXPECT_EQ(launch.task_info().command().environment().variables(0).name(),
            "NAME");

  v1::UpdateRequest update;
  update.set_id("one");
  wire::Resource& cpus = *update.add_resources();
  cpus.set_name("cpus");
  cpus.set_type(wire::Value::SCALAR);
  cpus.mutable_scalar()->set_value(2);
  EXPECT_THAT(Call(control::kUpdate, update), IsOk());
  EXPECT_EQ(world_->Find(id)->resources.resources(0).scalar().value(), 2);
  update.clear_resources();
  update.add_removed("cpus");
  EXPECT_THAT(Call(control::kUpdate, update), IsOk());
  EXPECT_EQ(world_->Find(id)->resources.resources_size(), 0);

  v1::ListRequest list;
  list.set_with_usage(true);
  const auto listed = Call(control::kList, list);
  ASSERT_THAT(listed, IsOk());
  ASSERT_THAT(listed->containers(), SizeIs(1));
  EXPECT_EQ(listed->containers(0).id(), "one");
  EXPECT_EQ(listed->containers(0).container_id(), id);
  EXPECT_EQ(listed->containers(0).state(), "running");
  EXPECT_EQ(listed->containers(0).command(), "sleep 600");
  EXPECT_THAT(listed->containers(0).arguments(), ElementsAre("sleep", "600"));
  EXPECT_TRUE(listed->containers(0).has_usage());
  EXPECT_FALSE(listed->containers(0).has_problem());

  world_->Exit(id, 7 << 8);
  v1::WaitRequest wait;
  wait.set_id("one");
  const auto end = Call(control::kWait, wait);
  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(wire::ExitOf(end->end()).number, 7);

  v1::DestroyRequest destroy;
  destroy.set_id(id);
  const auto destroyed = Call(control::kDestroy, destroy);
  ASSERT_THAT(destroyed, IsOk());
  EXPECT_EQ(wire::ExitOf(destroyed->end()).number, 7);
  EXPECT_EQ(destroyed->name(), "one");
  EXPECT_EQ(destroyed->container_id(), id);
  EXPECT_THAT(Call(control::kDestroy, destroy),
              StatusIs(absl::StatusCode::kNotFound));

  v1::EventsRequest past;
  past.set_dont_wait(true);
  const auto events = Call(control::kEvents, past);
  ASSERT_THAT(events, IsOk());
  EXPECT_GT(events->events_size(), 5);
  for (const char* which : {"one", id.c_str()}) {
    past.set_container(which);
    const auto of_one = Call(control::kEvents, past);
    ASSERT_THAT(of_one, IsOk());
    EXPECT_GT(of_one->events_size(), 5) << which;
    EXPECT_LT(of_one->events_size(), events->events_size());
    EXPECT_EQ(of_one->events(0).container(), "one");
    EXPECT_EQ(of_one->events(0).container_id(), id);
  }
}

TEST_F(ControlServerTest, ManyContainersAreListedInPagesThatFitAFrame) {
  Start(OracleTransport(world_));
  constexpr size_t kMany = control::kListContainers + 500;
  size_t count = 0;
  for (size_t i = 0; i < kMany; ++i) {
    StandingAgent::LaunchSpec spec;
    spec.name = absl::StrCat("c", i);
    spec.command.program = "sleep";
    spec.command.arguments = {"sleep"};
    agent_->Launch(spec, [&](const absl::StatusOr<Identity>& launched) {
      EXPECT_THAT(launched, IsOk());
      ++count;
    });
  }
  ttrpc::RunUntil(*loop_, [&] { return count == kMany; });
  std::vector<std::string> ids;
  v1::ListRequest request;
  request.set_with_usage(true);
  for (bool more = true; more;) {
    const auto reply = Call(control::kList, request);
    ASSERT_THAT(reply, IsOk());
    ASSERT_LE(reply->containers_size(),
              static_cast<int>(control::kListContainers));
    for (const auto& container : reply->containers()) {
      ids.push_back(container.id());
    }
    more = reply->more();
    request.set_after(ids.back());
  }
  EXPECT_THAT(ids, SizeIs(kMany));
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
}

TEST_F(ControlServerTest, AProgramThatDoesNotSayWhatIsUsedHoldsUpNoList) {
  auto script = std::make_shared<Script>();
  Start(ScriptTransport(script));
  script->Next(Command::kRecover)->Succeed();
  script->Next(Command::kContainers)->Succeed(std::string());
  std::optional<absl::StatusOr<v1::LaunchReply>> launched;
  v1::LaunchRequest launch;
  launch.set_id("one");
  launch.set_program("sleep");
  ttrpc::Call(*client_, control::kLaunch, launch, {},
              [&](ttrpc::CallResult<v1::LaunchReply> result) {
                launched = std::move(result.reply);
              });
  ttrpc::RunUntil(*loop_, [&] { return script->HasCall(); });
  script->Next(Command::kLaunch)->Succeed();
  ttrpc::RunUntil(*loop_, [&] { return launched.has_value(); });
  v1::ListRequest list;
  list.set_with_usage(true);
  const auto listed = Call(control::kList, list);
  ASSERT_THAT(listed, IsOk());
  ASSERT_THAT(listed->containers(), SizeIs(1));
  EXPECT_FALSE(listed->containers(0).has_usage());
  EXPECT_THAT(listed->containers(0).problem(), HasSubstr("in time"));
}

TEST_F(ControlServerTest, ARefusedLaunchIsAnErrorToClientsThatKnowNoRefusal) {
  for (const bool knows_refusal : {true, false}) {
    client_.reset();
    server_.reset();
    agent_.reset();
    auto script = std::make_shared<Script>();
    Start(ScriptTransport(script));
    script->Next(Command::kRecover)->Succeed();
    script->Next(Command::kContainers)->Succeed(std::string());
    std::optional<absl::StatusOr<v1::LaunchReply>> launched;
    v1::LaunchRequest launch;
    launch.set_id("one");
    launch.set_program("no_such_command");
    launch.set_refusal_in_reply(knows_refusal);
    ttrpc::Call(*client_, control::kLaunch, launch, {},
                [&](ttrpc::CallResult<v1::LaunchReply> result) {
                  launched = std::move(result.reply);
                });
    ttrpc::RunUntil(*loop_, [&] { return script->HasCall(); });
    Answer refused;
    refused.outcome = Outcome::kAnswered;
    refused.wait_status = 127 << 8;
    refused.status = absl::InternalError("no such command");
    script->Next(Command::kLaunch)->End(refused);
    ttrpc::RunUntil(*loop_, [&] { return script->HasCall(); });
    script->Next(Command::kDestroy)->Succeed();
    ttrpc::RunUntil(*loop_, [&] { return launched.has_value(); });
    if (knows_refusal) {
      ASSERT_THAT(*launched, IsOk());
      EXPECT_EQ((*launched)->exit_status(), 127u);
      EXPECT_THAT((*launched)->refusal(), HasSubstr("no such command"));
    } else {
      EXPECT_THAT(*launched, StatusIs(absl::StatusCode::kInternal,
                                      HasSubstr("no such command")));
    }
  }
}

TEST_F(ControlServerTest, OneThatIsNamedAndNotThereIsAnError) {
  Start(OracleTransport(world_));
  ASSERT_THAT(Launch("one"), IsOk());
  v1::ListRequest list;
  list.add_ids("one");
  EXPECT_THAT(Call(control::kList, list), IsOk());
  list.add_ids("two");
  EXPECT_THAT(Call(control::kList, list),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("two")));
}

TEST_F(ControlServerTest, AWaitWhoseClientIsGoneDoesNoHarm) {
  Start(OracleTransport(world_));
  const auto launched = Launch("one");
  ASSERT_THAT(launched, IsOk());
  const std::string id = launched->container_id();
  v1::WaitRequest wait;
  wait.set_id("one");
  ttrpc::Call(*client_, control::kWait, wait, {},
              [](ttrpc::CallResult<v1::EndReply>) {});
  ttrpc::RunUntil(*loop_, [&] { return server_->in_flight() == 1; });
  client_.reset();
  ttrpc::RunUntil(*loop_, [&] { return server_->connections() == 0; });
  world_->Exit(id, 0);
  ttrpc::RunUntil(*loop_, [&] { return !world_->Find(id).has_value(); });
}

}  // namespace
}  // namespace external_containerizer

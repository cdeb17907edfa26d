// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/request.h"

#include <string>

#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;

LaunchRequest Launch() {
  LaunchRequest launch;
  launch.id = "c-1";
  launch.executor.mutable_executor_id()->set_value("executor");
  launch.sandbox = {"/agent", "sandbox", std::nullopt};
  return launch;
}

TEST(RequestTest, LaunchCarriesAllThatTheCallerSaid) {
  LaunchRequest launch = Launch();
  launch.user = "nobody";
  launch.agent_id = "agent";
  launch.agent_pid = "slave(1)@127.0.0.1:5051";
  launch.checkpoint = true;
  const auto request = MakeLaunch(launch, EnvironmentOptions());
  ASSERT_THAT(request.status(), IsOk());
  wire::Launch sent;
  ASSERT_TRUE(sent.ParseFromString(request->input));
  EXPECT_EQ(sent.container_id().value(), "c-1");
  EXPECT_EQ(sent.executor_info().executor_id().value(), "executor");
  EXPECT_EQ(sent.directory(), "/agent/sandbox");
  EXPECT_EQ(sent.user(), "nobody");
  EXPECT_EQ(sent.slave_id().value(), "agent");
  EXPECT_EQ(sent.slave_pid(), "slave(1)@127.0.0.1:5051");
  EXPECT_TRUE(sent.checkpoint());
  EXPECT_FALSE(sent.has_task_info());
  EXPECT_EQ(request->sandbox->path, "sandbox");
  EXPECT_EQ(request->environment.at("MESOS_DIRECTORY"), "/agent/sandbox");
}

TEST(RequestTest, WhatACallerDidNotSayIsNotSent) {
  const auto request = MakeLaunch(Launch(), EnvironmentOptions());
  ASSERT_THAT(request.status(), IsOk());
  wire::Launch sent;
  ASSERT_TRUE(sent.ParseFromString(request->input));
  EXPECT_FALSE(sent.has_user());
  EXPECT_FALSE(sent.has_slave_id());
  EXPECT_FALSE(sent.has_slave_pid());
}

TEST(RequestTest, TheLargestRecordFitsAndOneByteMoreDoesNot) {
  LaunchRequest launch = Launch();
  launch.executor.set_data("");
  const size_t empty = MakeLaunch(launch, EnvironmentOptions())->input.size();
  // The lengths of the string and of the message around it then take more
  // bytes.
  launch.executor.set_data(std::string(kMaxInputBytes - empty - 6, 'x'));
  const auto largest = MakeLaunch(launch, EnvironmentOptions());
  ASSERT_THAT(largest.status(), IsOk());
  EXPECT_EQ(largest->input.size(), kMaxInputBytes);
  launch.executor.mutable_data()->push_back('x');
  EXPECT_THAT(
      MakeLaunch(launch, EnvironmentOptions()).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most")));
}

TEST(RequestTest, AResourceWithoutATypeIsRefused) {
  wire::Resource resource;
  resource.set_name("cpus");
  EXPECT_THAT(MakeUpdate("c-1", {resource}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("type")));
}

TEST(RequestTest, InputsAreTheRecordsThatTheOriginalAgentSent) {
  // container_id { value: "g0" }, as recorded.
  const std::string g0("\x0a\x04\x0a\x02g0", 6);
  EXPECT_EQ(InputOf(Command::kUsage, "g0"), g0);
  EXPECT_EQ(InputOf(Command::kWait, "g0"), g0);
  EXPECT_EQ(InputOf(Command::kDestroy, "g0"), g0);
  EXPECT_EQ(InputOf(Command::kContainers, ""), "");
}

}  // namespace
}  // namespace external_containerizer

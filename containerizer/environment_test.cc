// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/environment.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::Contains;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

EnvironmentOptions Recorded() {
  EnvironmentOptions options;
  options.libexec_directory = "/usr/libexec/mesos";
  options.work_directory = "/var/lib/mesos";
  options.executor_environment = {{"LIBPROCESS_IP", "127.0.0.1"},
                                  {"MESOS_AGENT_ENDPOINT", "127.0.0.1:5051"}};
  return options;
}

LaunchRequest Request() {
  LaunchRequest request;
  request.id = "g0";
  request.executor.mutable_executor_id()->set_value("e-g0");
  request.executor.mutable_framework_id()->set_value("f-1");
  request.sandbox = {"/var/lib/mesos", "sandbox/0", std::nullopt};
  request.agent_id = "slave-1";
  request.agent_pid = "slave(1)@127.0.0.1:5051";
  request.checkpoint = true;
  return request;
}

TEST(EnvironmentTest, CommandsFindTheTwoDirectories) {
  EXPECT_THAT(CommandEnvironment(Recorded()),
              UnorderedElementsAre(
                  Pair("MESOS_LIBEXEC_DIRECTORY", "/usr/libexec/mesos"),
                  Pair("MESOS_WORK_DIRECTORY", "/var/lib/mesos")));
}

TEST(EnvironmentTest, LaunchFindsWhatTheOriginalAgentWasSeenToGiveButPath) {
  EXPECT_THAT(
      LaunchEnvironment(Recorded(), Request()),
      UnorderedElementsAre(
          Pair("LIBPROCESS_IP", "127.0.0.1"), Pair("LIBPROCESS_PORT", "0"),
          Pair("MESOS_AGENT_ENDPOINT", "127.0.0.1:5051"),
          Pair("MESOS_CHECKPOINT", "1"),
          Pair("MESOS_DIRECTORY", "/var/lib/mesos/sandbox/0"),
          Pair("MESOS_EXECUTOR_ID", "e-g0"),
          Pair("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "5secs"),
          Pair("MESOS_FRAMEWORK_ID", "f-1"),
          Pair("MESOS_HTTP_COMMAND_EXECUTOR", "0"),
          Pair("MESOS_LIBEXEC_DIRECTORY", "/usr/libexec/mesos"),
          Pair("MESOS_RECOVERY_TIMEOUT", "15mins"),
          Pair("MESOS_SLAVE_ID", "slave-1"),
          Pair("MESOS_SLAVE_PID", "slave(1)@127.0.0.1:5051"),
          Pair("MESOS_SUBSCRIPTION_BACKOFF_MAX", "2secs"),
          Pair("MESOS_WORK_DIRECTORY", "/var/lib/mesos")));
}

// A default would win over the inherited PATH.
TEST(EnvironmentTest, LaunchHasThePathOfTheOtherCommandsUnlessAskedOtherwise) {
  EXPECT_THAT(LaunchEnvironment(Recorded(), Request()),
              Not(Contains(Key("PATH"))));
}

TEST(EnvironmentTest, WithoutCheckpointThereIsNoRecovery) {
  LaunchRequest request = Request();
  request.checkpoint = false;
  const Environment environment = LaunchEnvironment(Recorded(), request);
  EXPECT_THAT(environment, Contains(Pair("MESOS_CHECKPOINT", "0")));
  EXPECT_THAT(environment, Not(Contains(Key("MESOS_RECOVERY_TIMEOUT"))));
  EXPECT_THAT(environment,
              Not(Contains(Key("MESOS_SUBSCRIPTION_BACKOFF_MAX"))));
}

TEST(EnvironmentTest, ExecutorVariablesDoNotReplaceTheProtocols) {
  EnvironmentOptions options = Recorded();
  options.executor_environment = {{"PATH", "/opt/bin"},
                                  {"LIBPROCESS_PORT", "9"},
                                  {"MESOS_WORK_DIRECTORY", "/elsewhere"},
                                  {"COLOR", "blue"}};
  const Environment environment = LaunchEnvironment(options, Request());
  EXPECT_THAT(environment, Contains(Pair("PATH", "/opt/bin")));
  EXPECT_THAT(environment, Contains(Pair("LIBPROCESS_PORT", "0")));
  EXPECT_THAT(environment,
              Contains(Pair("MESOS_WORK_DIRECTORY", "/var/lib/mesos")));
  EXPECT_THAT(environment, Contains(Pair("COLOR", "blue")));
}

TEST(EnvironmentTest, AnExecutorsOwnGracePeriodWins) {
  LaunchRequest request = Request();
  request.executor.mutable_shutdown_grace_period()->set_nanoseconds(
      90000000000);
  EXPECT_THAT(LaunchEnvironment(Recorded(), request),
              Contains(Pair("MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD", "90secs")));
}

TEST(EnvironmentTest, DurationsAreWholeNumbersOfTheLargestUnit) {
  EXPECT_EQ(MesosDuration(absl::Hours(24 * 14)), "2weeks");
  EXPECT_EQ(MesosDuration(absl::Hours(36)), "36hrs");
  EXPECT_EQ(MesosDuration(absl::Minutes(15)), "15mins");
  EXPECT_EQ(MesosDuration(absl::Milliseconds(1500)), "1500ms");
  EXPECT_EQ(MesosDuration(absl::Microseconds(1)), "1us");
  EXPECT_EQ(MesosDuration(absl::Nanoseconds(7)), "7ns");
  EXPECT_EQ(MesosDuration(absl::ZeroDuration()), "0ns");
  EXPECT_EQ(MesosDuration(absl::InfiniteDuration()), "9223372036854775807ns");
}

}  // namespace
}  // namespace external_containerizer

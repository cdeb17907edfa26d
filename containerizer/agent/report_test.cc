// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/report.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/standard_output.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr wire::Exit kExit3{wire::Exit::Kind::kExited, 3};

ResourceUse SomeUse() {
  ResourceUse used;
  used.user = absl::Milliseconds(10);
  used.system = absl::Milliseconds(4);
  used.memory_bytes = 1258291;
  return used;
}

TEST(ReportTest, DurationsAreAsPreciseAsTheyAreShort) {
  EXPECT_EQ(DurationText(absl::Milliseconds(234)), "0.2 s");
  EXPECT_EQ(DurationText(absl::Seconds(12.9)), "12 s");
  EXPECT_EQ(DurationText(absl::Seconds(65)), "1 m 5 s");
  EXPECT_EQ(DurationText(absl::Hours(50) + absl::Minutes(3)), "50 h 3 m");
  EXPECT_EQ(DurationText(-absl::Seconds(1)), "0.0 s");
}

TEST(ReportTest, BytesAreInBinaryUnits) {
  EXPECT_EQ(BytesText(0), "0 B");
  EXPECT_EQ(BytesText(1023), "1023 B");
  EXPECT_EQ(BytesText(1258291), "1.2 MiB");
  EXPECT_EQ(BytesText((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(BytesText(std::numeric_limits<uint64_t>::max()), "16.0 EiB");
}

TEST(ReportTest, StatusLineShowsStateTimeCpuAndMemory) {
  EXPECT_EQ(StatusLine("running", absl::Seconds(12), SomeUse(), 0.984, 80),
            "running 12 s | cpu 0.0 s (98%) | memory 1.2 MiB");
  EXPECT_EQ(StatusLine("launching", absl::Seconds(1), ResourceUse(), {}, 80),
            "launching 1.0 s");
}

TEST(ReportTest, StatusLineIsNarrowerThanTheTerminal) {
  EXPECT_EQ(StatusLine("running", absl::Seconds(12), SomeUse(), 1, 11),
            "running 12");
  EXPECT_EQ(StatusLine("running", absl::Seconds(12), SomeUse(), 1, 1), "");
}

TEST(ReportTest, EndSaysHowAndWhatItUsed) {
  EXPECT_EQ(EndText({kExit3, false, "", absl::Milliseconds(200), SomeUse(), 3}),
            "exited with code 3 after 0.2 s; cpu 0.01 s user 0.00 s system, "
            "memory 1.2 MiB");
  EXPECT_EQ(EndText({kExit3, false, "REASON_X", absl::Milliseconds(200),
                     ResourceUse(), 3}),
            "exited with code 3 after 0.2 s (REASON_X)");
  ResourceUse memory_only;
  memory_only.memory_bytes = 1024;
  EXPECT_EQ(
      EndText({kExit3, false, "", absl::Milliseconds(200), memory_only, 3}),
      "exited with code 3 after 0.2 s; memory 1.0 KiB");
}

TEST(ReportTest, EndTellsLimits) {
  ResourceUse used;
  used.memory_bytes = 40 << 20;
  used.throttled = absl::Seconds(1.5);
  End end = {kExit3, false, "", absl::Milliseconds(200), used, 3};
  end.memory_asked_for_bytes = 64 << 20;
  EXPECT_EQ(EndText(end),
            "exited with code 3 after 0.2 s; throttled for 1.50 s, memory 40.0 "
            "MiB (the limit of 64.0 MiB is not known to be enforced; see agent "
            "doctor)");
  end.used.memory_limit_bytes = 64 << 20;
  end.used.throttled = absl::ZeroDuration();
  EXPECT_EQ(EndText(end),
            "exited with code 3 after 0.2 s; memory 40.0 MiB of 64.0 MiB");
  EXPECT_THAT(EndJson(end).ToString(),
              HasSubstr("\"memory_bytes\":41943040,"
                        "\"memory_limit_bytes\":67108864,"
                        "\"cpu_throttled_seconds\":0"));
  EXPECT_THAT(StatusLine("running", absl::Seconds(1), used, {}, 0),
              HasSubstr("memory 40.0 MiB"));
}

TEST(ReportTest, EndTellsLimitsThatAreNotKnownToBeEnforced) {
  End end = {kExit3, false, "", absl::Milliseconds(200), ResourceUse(), 3};
  end.cpus_asked_for = 0.5;
  EXPECT_EQ(EndText(end),
            "exited with code 3 after 0.2 s (the limit of 0.5 cpus is not "
            "known to be enforced; see agent doctor)");
  end.memory_asked_for_bytes = 64 << 20;
  const std::string both =
      " (the limits of 0.5 cpus and 64.0 MiB are not known to be enforced; see "
      "agent doctor)";
  EXPECT_EQ(EndText(end), "exited with code 3 after 0.2 s" + both);
  end.used = SomeUse();
  EXPECT_EQ(EndText(end),
            "exited with code 3 after 0.2 s; cpu 0.01 s user 0.00 s system, "
            "memory 1.2 MiB" +
                both);
  end.used.cpus_limit = 0.5;
  EXPECT_THAT(EndText(end), HasSubstr("(the limit of 64.0 MiB is not known"));
  end.used.memory_limit_bytes = 64 << 20;
  EXPECT_THAT(EndText(end), Not(HasSubstr("enforced")));
  end.used.cpus_limit.reset();
  EXPECT_THAT(EndText(end), HasSubstr("(the limit of 0.5 cpus is not known"));
  end.used.throttled = absl::Seconds(1);
  EXPECT_THAT(EndText(end), Not(HasSubstr("enforced")));
}

TEST(ReportTest, WhatIsAskedForIsTheSum) {
  Resources resources;
  EXPECT_EQ(CpusAskedFor(resources), std::nullopt);
  EXPECT_EQ(MemoryAskedFor(resources), std::nullopt);
  for (const char* name : {"mem", "cpus", "mem", "cpus"}) {
    wire::Resource resource;
    resource.set_name(name);
    resource.mutable_scalar()->set_value(1.5);
    resources.push_back(resource);
  }
  EXPECT_EQ(CpusAskedFor(resources), 3);
  EXPECT_EQ(MemoryAskedFor(resources), 3u << 20);
}

TEST(ReportTest, WhatTheAgentDestroyedNeedsNoOtherReason) {
  EXPECT_EQ(EndText({wire::Exit(), true, "not told", absl::Seconds(1), {}, 0}),
            "destroyed after 1.0 s");
  EXPECT_EQ(EndText({kExit3, true, "", absl::Seconds(1), {}, 0}),
            "exited with code 3 after 1.0 s");
  EXPECT_EQ(EndText({wire::Exit(), false, "not told", absl::Seconds(1), {}, 0}),
            "ended in an unknown way after 1.0 s (not told)");
}

TEST(ReportTest, EndJsonHasCodeOrSignal) {
  EXPECT_EQ(EndJson({kExit3, false, "", absl::Milliseconds(200), SomeUse(), 3})
                .ToString(),
            "{\"type\":\"end\",\"exit_code\":3,"
            "\"message\":\"exited with code 3\",\"seconds\":0.2,"
            "\"cpu_user_seconds\":0.01,\"cpu_system_seconds\":0.004,"
            "\"memory_bytes\":1258291,\"status\":3}");
  EXPECT_THAT(EndJson({{wire::Exit::Kind::kSignaled, 9},
                       false,
                       "",
                       absl::Seconds(1),
                       {},
                       137})
                  .ToString(),
              HasSubstr("\"signal\":9"));
}

TEST(ReportTest, UseIsWhatTheProgramMeasured) {
  wire::ResourceStatistics statistics;
  EXPECT_FALSE(ResourceUseOf(statistics).Cpu().has_value());
  EXPECT_FALSE(ResourceUseOf(statistics).memory_bytes.has_value());
  statistics.set_cpus_user_time_secs(1.5);
  statistics.set_mem_rss_bytes(7);
  EXPECT_EQ(ResourceUseOf(statistics).Cpu(), absl::Seconds(1.5));
  EXPECT_EQ(ResourceUseOf(statistics).memory_bytes, 7u);
  statistics.set_mem_total_bytes(8);
  EXPECT_EQ(ResourceUseOf(statistics).memory_bytes, 8u);
  statistics.set_cpus_user_time_secs(std::numeric_limits<double>::quiet_NaN());
  EXPECT_FALSE(ResourceUseOf(statistics).user.has_value());
  EXPECT_FALSE(ResourceUseOf(statistics).cpus_limit.has_value());
  statistics.set_cpus_limit(std::numeric_limits<double>::infinity());
  EXPECT_FALSE(ResourceUseOf(statistics).cpus_limit.has_value());
  statistics.set_cpus_limit(0.5);
  EXPECT_EQ(ResourceUseOf(statistics).cpus_limit, 0.5);
}

TEST(ReportTest, WhyIsSaidWhereTheExitDoesNotTell) {
  wire::Termination termination;
  termination.set_status(3 << 8);
  termination.set_message("exited");
  termination.add_reasons(wire::TaskStatus::REASON_EXECUTOR_TERMINATED);
  EXPECT_EQ(WhyOf(termination), "");
  termination.clear_status();
  EXPECT_EQ(WhyOf(termination), "exited");
  termination.add_reasons(wire::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
  termination.set_message("too\nmuch\x1b");
  EXPECT_EQ(WhyOf(termination),
            "REASON_CONTAINER_LIMITATION_MEMORY: too\\nmuch\\x1b");
}

TEST(ReportTest, EventIsOneLineWithForeignTextEscaped) {
  ContainerEvent event;
  event.kind = ContainerEvent::Kind::kCommandEnded;
  event.command = Command::kLaunch;
  event.container = "c\x1b";
  event.took = absl::Milliseconds(12);
  event.status = absl::InternalError("bad\nnews");
  EXPECT_EQ(EventText(event),
            "launch c\\x1b ended after 0.012 s: INTERNAL: bad\\nnews");
  event.queued = absl::Seconds(1);
  EXPECT_THAT(EventText(event), HasSubstr("(1.000 s in the queue)"));
  event.kind = ContainerEvent::Kind::kStateChanged;
  event.state = ContainerState::kRunning;
  event.container = "c";
  event.status = absl::OkStatus();
  EXPECT_EQ(EventText(event), "c is running");
  event.kind = ContainerEvent::Kind::kNotice;
  event.detail = "trying again";
  EXPECT_EQ(EventText(event), "c: trying again");
  event.container.clear();
  EXPECT_EQ(EventText(event), "trying again");
}

TEST(ReportTest, EventJsonHasWhatTheTextHas) {
  ContainerEvent event;
  event.kind = ContainerEvent::Kind::kCommandEnded;
  event.command = Command::kUsage;
  event.container = "c";
  event.took = absl::Milliseconds(12);
  event.status = absl::InternalError("bad\nnews");
  EXPECT_EQ(EventJson(event).ToString(),
            "{\"type\":\"event\",\"event\":\"command_ended\","
            "\"container\":\"c\",\"command\":\"usage\",\"queued_seconds\":0,"
            "\"seconds\":0.012,\"error_code\":\"INTERNAL\","
            "\"error\":\"bad\\nnews\"}");
}

TEST(ReportTest, OneLineIsBoundedAndDoesNotDoubleBackslashes) {
  EXPECT_EQ(OneLine("a\\x1b\"b\"\x1b"), "a\\x1b\"b\"\\x1b");
  EXPECT_LT(OneLine(std::string(1 << 20, '\xff')).size(), 20000u);
}

TEST(ExitStatusTest, IsThatOfShells) {
  EXPECT_EQ(ExitStatusOf(wire::ExitOf(wire::MakeTermination(3 << 8, ""))), 3);
  EXPECT_EQ(ExitStatusOf(wire::ExitOf(wire::MakeTermination(9, ""))), 128 + 9);
  EXPECT_EQ(ExitStatusOf(wire::ExitOf(wire::Termination())), kAgentFailed);
}

TEST(EndedTest, SaysHowAndWhy) {
  wire::Termination end = wire::MakeTermination(9, "too much");
  end.add_reasons(wire::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
  EXPECT_EQ(TerminationText(end),
            "killed by signal 9 (Killed) (REASON_CONTAINER_LIMITATION_MEMORY: "
            "too much)");
  EXPECT_EQ(TerminationJson(wire::MakeTermination(3 << 8, "")).ToString(),
            "{\"exit_code\":3,\"message\":\"exited with code 3\"}");
}

}  // namespace
}  // namespace external_containerizer

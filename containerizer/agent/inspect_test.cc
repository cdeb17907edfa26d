// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/inspect.h"

#include <malloc.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "external_containerizer/state/model_file_system_testing.h"
#include "external_containerizer/state/sample_tree_testing.h"
#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

enum Form : bool { kText = false, kJson = true };

std::vector<std::string> Lines(Form form, const Inspection& inspection) {
  std::vector<std::string> lines;
  ShowInspection(inspection, form, [&](absl::string_view line) {
    lines.emplace_back(line);
    return true;
  });
  return lines;
}

Inspection InspectionOf(const std::string& work_dir) {
  absl::StatusOr<Inspection> inspection = Inspect(work_dir);
  EXPECT_THAT(inspection, IsOk());
  return inspection.ok() ? *std::move(inspection) : Inspection();
}

class SampleTest : public ::testing::Test {
 protected:
  SampleTest() { state::Materialize(state::SampleImage(), tree_.path()); }

  Inspection Read() { return InspectionOf(tree_.path()); }

  std::string Run(const std::string& framework, const std::string& executor,
                  const std::string& run) {
    return absl::StrCat("meta/slaves/S0/frameworks/", framework, "/executors/",
                        executor, "/runs/", run);
  }

  state::TemporaryDirectory tree_;
};

TEST_F(SampleTest, TextShowsTheWholeTree) {
  EXPECT_EQ(
      absl::StrJoin(Lines(kText, Read()), "\n"),
      absl::StrCat(
          "work_dir ", tree_.path(),
          R"(: meta yes, boot_id sample-boot, this_boot no, no pid is valid, resources "cpus:1; cpus:2"
agent S0: hostname "a host", port 5051, resources cpus:4
  framework F0: name "a framework", user root, checkpoint yes, pid f@127.0.0.1:4000
    executor e1: resources cpus:1, latest c2
      run c1: state completed, sentinel yes, killed by signal 9 (Killed) (REASON_CONTAINER_LIMITATION: a message)
        task t1: name "a task", state TASK_RUNNING, updates 2, acknowledged 1, resources cpus:0.5
          update: state TASK_RUNNING, uuid 61616161616161616161616161616161, acknowledged yes, time 1970-01-01T00:00:01.000Z
          update: state TASK_RUNNING, uuid 62626262626262626262626262626262, acknowledged no, time 1970-01-01T00:00:01.000Z
      run c2: state running, sentinel no, forked_pid 4321, libprocess_pid "executor(1)@127.0.0.1:4001", http no
        task t2: name "a task", state TASK_STAGING, updates 0, acknowledged 0, resources cpus:0.5
  framework F1: name "a framework", user root, checkpoint yes, pid @0.0.0.0:0
    executor e2: resources cpus:1, latest c3
      run c3: state running, sentinel no, http yes
summary: frameworks 2, executors 2, runs 3, running 2, unacknowledged 0, completed 1, tasks 2, damages 0, notices 0, further_problems 0, truncations 0)"));
}

TEST_F(SampleTest, JsonShowsTheWholeTree) {
  EXPECT_EQ(
      absl::StrJoin(Lines(kJson, Read()), "\n"),
      absl::StrCat(
          R"json({"type":"work_dir","path":")json", tree_.path(),
          R"json(","meta":true,"boot_id":"sample-boot","this_boot":false,"resources":"cpus:1; cpus:2"}
{"type":"agent","id":"S0","hostname":"a host","port":5051,"resources":"cpus:4"}
{"type":"framework","id":"F0","name":"a framework","user":"root","checkpoint":true,"pid":"f@127.0.0.1:4000"}
{"type":"executor","id":"e1","framework":"F0","resources":"cpus:1","latest":"c2"}
{"type":"run","id":"c1","executor":"e1","framework":"F0","state":"completed","sentinel":true,"signal":9,"message":"killed by signal 9 (Killed)","why":"REASON_CONTAINER_LIMITATION: a message","sandbox":"slaves/S0/frameworks/F0/executors/e1/runs/c1"}
{"type":"task","id":"t1","run":"c1","executor":"e1","framework":"F0","name":"a task","state":"TASK_RUNNING","updates":2,"acknowledged":1,"resources":"cpus:0.5"}
{"type":"update","task":"t1","run":"c1","executor":"e1","framework":"F0","state":"TASK_RUNNING","uuid":"61616161616161616161616161616161","acknowledged":true,"time":"1970-01-01T00:00:01.000Z"}
{"type":"update","task":"t1","run":"c1","executor":"e1","framework":"F0","state":"TASK_RUNNING","uuid":"62626262626262626262626262626262","acknowledged":false,"time":"1970-01-01T00:00:01.000Z"}
{"type":"run","id":"c2","executor":"e1","framework":"F0","state":"running","sentinel":false,"forked_pid":4321,"libprocess_pid":"executor(1)@127.0.0.1:4001","http":false,"sandbox":"slaves/S0/frameworks/F0/executors/e1/runs/c2"}
{"type":"task","id":"t2","run":"c2","executor":"e1","framework":"F0","name":"a task","state":"TASK_STAGING","updates":0,"acknowledged":0,"resources":"cpus:0.5"}
{"type":"framework","id":"F1","name":"a framework","user":"root","checkpoint":true,"pid":"@0.0.0.0:0"}
{"type":"executor","id":"e2","framework":"F1","resources":"cpus:1","latest":"c3"}
{"type":"run","id":"c3","executor":"e2","framework":"F1","state":"running","sentinel":false,"http":true,"sandbox":"slaves/S0/frameworks/F1/executors/e2/runs/c3"}
{"type":"summary","frameworks":2,"executors":2,"runs":3,"running":2,"unacknowledged":0,"completed":1,"tasks":2,"damages":0,"notices":0,"further_problems":0,"truncations":0})json"));
}

TEST_F(SampleTest, ALaunchThatNobodyAcknowledgedIsSaidToBeThat) {
  std::filesystem::remove(tree_ / Run("F1", "e2", "latest"));
  EXPECT_THAT(Lines(kText, Read()),
              Contains(StartsWith("      run c3: state unacknowledged")));
}

TEST_F(SampleTest, EveryAgentThatIsThereIsNamed) {
  std::filesystem::create_directories(tree_ / "meta/slaves/S-old");
  EXPECT_THAT(Lines(kText, Read()),
              AllOf(Contains(StartsWith("agent S0: hostname")),
                    Contains("agent S-old: latest no, not read")));
  std::filesystem::remove(tree_ / "meta/slaves/latest");
  EXPECT_THAT(Lines(kText, Read()),
              AllOf(Contains(HasSubstr("meta/slaves/latest names no agent")),
                    Contains("agent S0: latest no, not read"),
                    Contains("agent S-old: latest no, not read")));
  EXPECT_THAT(Lines(kJson, Read()),
              Contains(R"({"type":"agent","id":"S0","latest":false})"));
}

TEST_F(SampleTest, APartOfAWorkDirectoryIsSaidToBeThat) {
  for (const char* part : {"meta", "meta/slaves", "meta/slaves/S0",
                           "meta/slaves/S0/frameworks/F0"}) {
    EXPECT_THAT(
        Inspect(tree_ / part),
        StatusIs(absl::StatusCode::kNotFound,
                 HasSubstr("agent inspect " +
                           std::filesystem::canonical(tree_.path()).string())));
  }
}

TEST_F(SampleTest, ARecordedEndCountsWithoutTheSentinel) {
  std::filesystem::remove(tree_ /
                          (Run("F0", "e1", "c1") + "/executor.sentinel"));
  EXPECT_THAT(Lines(kText, Read()),
              Contains(StartsWith(
                  "      run c1: state completed, sentinel no, killed")));
}

TEST_F(SampleTest, OfThisBootPidsAreValid) {
  state::WriteFile(tree_ / "meta/boot_id",
                   state::ReadFile("/proc/sys/kernel/random/boot_id"));
  const Inspection inspection = Read();
  EXPECT_TRUE(inspection.is_this_boot);
  EXPECT_THAT(Lines(kText, inspection), Contains(HasSubstr(", this_boot yes")));
}

TEST_F(SampleTest, WithoutABootIdAllElseIsShown) {
  std::filesystem::remove(tree_ / "meta/boot_id");
  const Inspection inspection = Read();
  EXPECT_THAT(Lines(kText, inspection),
              AllOf(Contains(HasSubstr(", boot unknown")),
                    Contains(HasSubstr("forked_pid 4321"))));
  EXPECT_FALSE(IsDamaged(inspection.state));
}

// The boot id cannot be read where /proc/sys is hidden.
TEST_F(SampleTest, WithoutThePresentBootIdTheTextSaysThatItMayBeThatBoot) {
  Inspection inspection = Read();
  inspection.boot_error = "cannot read the boot id: Permission denied";
  EXPECT_THAT(
      Lines(kText, inspection),
      AllOf(Contains(HasSubstr(
                ", boot_id sample-boot, boot_error \"cannot read the boot "
                "id: Permission denied\", it may be this boot")),
            Contains(HasSubstr("forked_pid 4321"))));
  EXPECT_THAT(Lines(kJson, inspection),
              Contains(AllOf(HasSubstr("\"boot_error\":\"cannot read"),
                             Not(HasSubstr("this_boot")))));
}

TEST_F(SampleTest, DamageIsNamedAndTheRestIsShown) {
  const std::string info = "meta/slaves/S0/frameworks/F0/framework.info";
  state::WriteFile(tree_ / info, "????");
  const Inspection inspection = Read();
  EXPECT_TRUE(IsDamaged(inspection.state));
  EXPECT_THAT(
      Lines(kText, inspection),
      AllOf(Contains("  framework F0: pid f@127.0.0.1:4000"),
            Contains(StartsWith(absl::StrCat("damage ", info, ": why "))),
            Contains(HasSubstr("run c2")), Contains(HasSubstr("damages 1"))));
  EXPECT_THAT(Lines(kJson, inspection),
              Contains(StartsWith(absl::StrCat(R"({"type":"damage","path":")",
                                               info, R"(","why":")"))));
}

TEST_F(SampleTest, ATornTailIsNoDamageButSaidToBeCutOff) {
  const std::string updates = Run("F0", "e1", "c1") + "/tasks/t1/task.updates";
  const std::string bytes = state::ReadFile(tree_ / updates);
  state::WriteFile(tree_ / updates, bytes + std::string("\x10\0\0\0x", 5));
  const Inspection inspection = Read();
  EXPECT_FALSE(IsDamaged(inspection.state));
  EXPECT_THAT(
      Lines(kText, inspection),
      Contains(absl::StrCat("truncation ", updates, ": bytes ",
                            bytes.size() + 5, ", good_bytes ", bytes.size())));
  EXPECT_THAT(Lines(kJson, inspection),
              Contains(absl::StrCat(R"({"type":"truncation","path":")", updates,
                                    R"(","bytes":)", bytes.size() + 5,
                                    R"(,"good_bytes":)", bytes.size(), "}")));
}

TEST_F(SampleTest, WhoWantsNoMoreGetsNoMore) {
  const Inspection inspection = Read();
  for (const Form form : {kText, kJson}) {
    const size_t all = Lines(form, inspection).size();
    for (size_t most = 1; most <= all; ++most) {
      size_t lines = 0;
      ShowInspection(inspection, form,
                     [&](absl::string_view) { return ++lines < most; });
      EXPECT_EQ(lines, most);
    }
  }
}

TEST_F(SampleTest, NoIdLooksLikeSomethingThatWeSay) {
  for (const char* id :
       {"c4: completed", "c5\x1b[2J", "c6\nagent S9", "c7\xff", "c8\""}) {
    std::filesystem::create_directories(tree_ / Run("F1", "e2", id));
  }
  const Inspection inspection = Read();
  const std::vector<std::string> lines = Lines(kText, inspection);
  for (const char* line :
       {R"("c4: completed": state)", R"("c5\x1b[2J": state)",
        R"("c6\nagent S9": state)", R"("c7\xff": state)", R"("c8\"": state)"}) {
    EXPECT_THAT(lines, Contains(StartsWith(absl::StrCat("      run ", line))));
  }
  EXPECT_THAT(
      Lines(kJson, inspection),
      AllOf(Contains(HasSubstr(R"("id":"c6\nagent S9")")),
            Contains(HasSubstr(absl::StrCat(
                R"("id_base64":")", absl::Base64Escape("c7\xff"), "\"")))));
}

TEST(InspectTest, WhereNoAgentHasBeenThereIsNothingDamaged) {
  const state::TemporaryDirectory empty;
  const Inspection inspection = InspectionOf(empty.path());
  EXPECT_FALSE(IsDamaged(inspection.state));
  EXPECT_THAT(Lines(kText, inspection),
              Contains(HasSubstr("no agent has written here")));
  EXPECT_THAT(Lines(kJson, inspection), Contains(HasSubstr(R"("meta":false)")));
}

TEST(InspectTest, WhatIsNotThereCannotBeInspected) {
  const state::TemporaryDirectory empty;
  EXPECT_THAT(Inspect(empty / "none"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
}

TEST(InspectTest, ProblemsThatWereOnlyCountedMayBeDamage) {
  state::AgentState state;
  EXPECT_FALSE(IsDamaged(state));
  state.further_problems = 1;
  EXPECT_TRUE(IsDamaged(state));
}

TEST(InspectTest, AHundredThousandRunsAreShownOneAfterAnother) {
  Inspection inspection;
  inspection.state.resources.emplace();
  state::SlaveState& agent = inspection.state.slave.emplace();
  agent.id = "S";
  state::FrameworkState& framework = agent.frameworks.emplace_back();
  framework.id = "F";
  for (int i = 0; i < 100'000; ++i) {
    if (i % 1000 == 0) framework.executors.emplace_back();
    state::RunState& run = framework.executors.back().runs.emplace_back();
    run.id = absl::StrCat("run-", i);
    run.tasks.emplace_back().id = "task";
  }
  for (const Form form : {kText, kJson}) {
    const size_t before = mallinfo2().uordblks;
    size_t lines = 0, most = 0;
    ShowInspection(inspection, form, [&](absl::string_view) {
      if (++lines % 100 == 0) most = std::max(most, mallinfo2().uordblks);
      return true;
    });
    EXPECT_GT(lines, 200'000u);
    EXPECT_LT(most, before + 65536);
  }
}

TEST(InspectTest, EveryFixtureIsShownWithAllThatIsWrongWithIt) {
  const state::TemporaryDirectory trees;
  state::Unpack("state/testdata/cases.tar.gz", trees.path());
  size_t cases = 0, damaged = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(trees / "cases")) {
    SCOPED_TRACE(entry.path().string());
    ++cases;
    const Inspection inspection = InspectionOf(entry.path().string());
    const std::vector<std::string> text = Lines(kText, inspection);
    const std::vector<std::string> json = Lines(kJson, inspection);
    for (const state::Problem& problem : inspection.state.problems) {
      EXPECT_THAT(text, Contains(HasSubstr(absl::CHexEscape(problem.path))));
    }
    for (const state::Truncation& truncation : inspection.state.truncations) {
      EXPECT_THAT(text, Contains(HasSubstr(absl::CHexEscape(truncation.path))));
    }
    for (const std::string& line : text) {
      EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](unsigned char c) {
        return absl::ascii_isprint(c);
      })) << line;
    }
    EXPECT_THAT(json, Each(StartsWith("{\"type\":\"")));
    EXPECT_THAT(json, Each(Not(HasSubstr("\n"))));
    const auto is_damage = [](const std::string& line) {
      return absl::StartsWith(line, "{\"type\":\"damage\"");
    };
    const bool has_damage = std::any_of(json.begin(), json.end(), is_damage);
    EXPECT_EQ(IsDamaged(inspection.state), has_damage);
    if (has_damage) ++damaged;
  }
  EXPECT_EQ(cases, 59u);
  EXPECT_GT(damaged, 10u);
}

}  // namespace
}  // namespace external_containerizer

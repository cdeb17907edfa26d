// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/reader.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/state/known_containers.h"
#include "external_containerizer/state/model_file_system_testing.h"
#include "external_containerizer/state/resource_state.pb.h"
#include "external_containerizer/state/sample_tree_testing.h"
#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/record_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

constexpr char kExecutors[] = "meta/slaves/S0/frameworks/F0/executors";

class ReaderTest : public ::testing::Test {
 protected:
  ReaderTest() {
    Materialize(SampleImage(), work_.path());
    options_.boot_id = kSampleBoot;
  }

  AgentState Read() {
    auto state = ReadAgentState(work_.path(), options_);
    EXPECT_THAT(state, IsOk());
    return state.ok() ? *std::move(state) : AgentState();
  }

  void Write(const std::string& path, const std::string& bytes) {
    WriteFile(work_ / path, bytes);
  }

  TemporaryDirectory work_;
  ReadOptions options_;
};

std::vector<std::string> Executors(const AgentState& state) {
  std::vector<std::string> ids;
  for (const auto& framework : state.slave->frameworks) {
    for (const auto& executor : framework.executors) ids.push_back(executor.id);
  }
  return ids;
}

bool Notices(const AgentState& state, const std::string& path,
             const std::string& why) {
  return std::any_of(state.problems.begin(), state.problems.end(),
                     [&](const Problem& problem) {
                       return problem.kind == Problem::Kind::kNotice &&
                              problem.path == path &&
                              absl::StrContains(problem.why, why);
                     });
}

TEST_F(ReaderTest, NoWorkDirIsNotFoundAndNoMetaIsNoState) {
  EXPECT_THAT(ReadAgentState(work_ / "none"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("none")));
  TemporaryDirectory empty;
  const auto state = ReadAgentState(empty.path());
  ASSERT_THAT(state, IsOk());
  EXPECT_FALSE(state->slave.has_value());
  EXPECT_FALSE(state->resources.has_value());
  EXPECT_TRUE(state->problems.empty());
}

TEST_F(ReaderTest, AMovedWorkDirIsReadByTheNamesInItsLinks) {
  TemporaryDirectory parent;
  const std::string moved = parent / "moved";
  fs::copy(work_.path(), moved,
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  const auto state = ReadAgentState(moved, options_);
  ASSERT_THAT(state, IsOk());
  EXPECT_TRUE(state->problems.empty());
  EXPECT_EQ(state->slave->frameworks[0].executors[0].latest, "c2");
}

TEST_F(ReaderTest, AnIdMayBeAnyNameOfADirectory) {
  const std::vector<std::string> odd = {" ",       "*?[a]", "-rf",  ".hidden",
                                        "back\\s", "e1",    "n\nl", "\xff\xfe"};
  for (const std::string& id : odd) {
    if (id == "e1") continue;
    fs::copy(work_ / absl::StrCat(kExecutors, "/e1"),
             work_ / absl::StrCat(kExecutors, "/", id),
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  }
  std::vector<std::string> expected = odd;
  expected.push_back("e2");
  EXPECT_THAT(Executors(Read()), ElementsAreArray(expected));
}

TEST_F(ReaderTest, ALinkIsNoExecutorAndLeadsNowhere) {
  TemporaryDirectory outside;
  Materialize(SampleImage(), outside.path());
  fs::create_symlink(outside / absl::StrCat(kExecutors, "/e1"),
                     work_ / absl::StrCat(kExecutors, "/planted"));
  fs::create_symlink("e1", work_ / absl::StrCat(kExecutors, "/inside"));
  const AgentState state = Read();
  EXPECT_THAT(Executors(state), ElementsAre("e1", "e2"));
  EXPECT_TRUE(
      Notices(state, absl::StrCat(kExecutors, "/planted"), "not a directory"));
  EXPECT_TRUE(
      Notices(state, absl::StrCat(kExecutors, "/inside"), "not a directory"));
}

TEST_F(ReaderTest, ALatestLinkCountsOnlyByItsLastName) {
  const std::string link = work_ / absl::StrCat(kExecutors, "/e1/runs/latest");
  const auto point_to = [&](const std::string& target) {
    fs::remove(link);
    fs::create_symlink(target, link);
  };
  for (const char* target : {"c1", "./c1", "/gone/c1", "../../x/c1///"}) {
    point_to(target);
    EXPECT_EQ(Read().slave->frameworks[0].executors[0].latest, "c1") << target;
  }
  point_to("/etc/passwd");
  AgentState state = Read();
  EXPECT_FALSE(state.slave->frameworks[0].executors[0].latest.has_value());
  EXPECT_TRUE(
      Notices(state, absl::StrCat(kExecutors, "/e1/runs/latest"), "passwd"));
  for (const char* target : {"/", "..", "latest"}) {
    point_to(target);
    EXPECT_THAT(ReadAgentState(work_.path(), options_),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("latest")));
  }
}

TEST_F(ReaderTest, ARunThatNoProgramCouldBeGivenIsListed) {
  fs::create_directory(work_ / absl::StrCat(kExecutors, "/e1/runs/-c"));
  const AgentState state = Read();
  EXPECT_TRUE(Notices(state, absl::StrCat(kExecutors, "/e1/runs/-c"),
                      "given to no program"));
  EXPECT_EQ(KnownContainers(state).size(), size_t{kSampleRuns});
}

TEST_F(ReaderTest, AFrameworkWithoutItsPidKeepsItsExecutors) {
  const std::string pid = "meta/slaves/S0/frameworks/F0/framework.pid";
  fs::remove(work_ / pid);
  const AgentState state = Read();
  EXPECT_THAT(Executors(state), ElementsAre("e1", "e2"));
  EXPECT_TRUE(Notices(state, pid, "missing"));
}

TEST_F(ReaderTest, AnotherIdInsideThanOutsideIsNoticed) {
  fs::rename(work_ / absl::StrCat(kExecutors, "/e1"),
             work_ / absl::StrCat(kExecutors, "/e9"));
  EXPECT_TRUE(
      Notices(Read(), absl::StrCat(kExecutors, "/e9/executor.info"), "\"e1\""));
}

TEST_F(ReaderTest, AfterARebootTheTreeIsReadWithoutPids) {
  EXPECT_EQ(Read().slave->frameworks[0].executors[0].runs[1].forked_pid, 4321);
  options_.boot_id = "another";
  const AgentState state = Read();
  EXPECT_TRUE(state.rebooted);
  EXPECT_FALSE(
      state.slave->frameworks[0].executors[0].runs[1].forked_pid.has_value());
  EXPECT_EQ(KnownContainers(state).size(), size_t{kSampleRuns});
}

TEST_F(ReaderTest, TheBootIsTheKernelsUnlessGiven) {
  options_.boot_id.reset();
  EXPECT_TRUE(Read().rebooted);
  fs::remove(work_ / "meta/boot_id");
  EXPECT_FALSE(Read().rebooted);
}

// A tree of 0.20 has no resources directory, a FrameworkInfo without an id,
// tasks of another package, and no markers and files of later releases.
TEST_F(ReaderTest, ATreeOf020IsRead) {
  fs::remove_all(work_ / "meta/resources");
  fs::remove(work_ /
             absl::StrCat(kExecutors, "/e1/runs/c1/executor.termination"));
  wire::FrameworkInfo framework;
  framework.set_user("root");
  framework.set_name("old");
  framework.set_checkpoint(true);
  Write("meta/slaves/S0/frameworks/F0/framework.info",
        EncodeRecord(framework.SerializeAsString()));
  const AgentState state = Read();
  EXPECT_TRUE(state.problems.empty());
  EXPECT_THAT(Executors(state), ElementsAre("e1", "e2"));
  EXPECT_EQ(KnownContainers(state).size(), size_t{kSampleRuns});
}

// 1.8 and 1.10 brought these files. Fields that this schema does not know are
// kept.
TEST_F(ReaderTest, ATreeOf111IsRead) {
  ResourceState resources;
  wire::Resource& resource = *resources.add_resources();
  resource.set_name("gpus");
  resource.set_type(wire::Value::SCALAR);
  ASSERT_TRUE(resources.MergeFromString(std::string("\x0a\x02op", 4)));
  Write("meta/resources/resources_and_operations.state",
        EncodeRecord(resources.SerializeAsString()));
  Write(absl::StrCat(kExecutors, "/e1/executor_generated_for_command_task"),
        "1");
  AgentState state = Read();
  EXPECT_TRUE(state.problems.empty());
  ASSERT_EQ(state.resources->committed.size(), 1u);
  EXPECT_EQ(state.resources->committed[0].name(), "gpus");
  EXPECT_EQ(state.slave->frameworks[0].executors[0].generated_for_command_task,
            true);

  Write(absl::StrCat(kExecutors, "/e1/executor_generated_for_command_task"),
        "x");
  EXPECT_THAT(ReadAgentState(work_.path(), options_),
              StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(ReaderTest, ADriversRegistrationCountsMoreThanTheMarker) {
  Write(absl::StrCat(kExecutors, "/e1/runs/c2/http.marker"), "");
  EXPECT_EQ(Read().slave->frameworks[0].executors[0].runs[1].http, false);
}

TEST_F(ReaderTest, ATornUpdateIsReportedAndLeftAlone) {
  const std::string path =
      absl::StrCat(kExecutors, "/e1/runs/c1/tasks/t1/task.updates");
  const std::string whole = ReadFile(work_ / path);
  Write(path, whole + "\x50");
  const AgentState state = Read();
  EXPECT_TRUE(state.problems.empty());
  ASSERT_EQ(state.truncations.size(), 1u);
  EXPECT_EQ(state.truncations[0].path, path);
  EXPECT_EQ(state.truncations[0].size, whole.size() + 1);
  EXPECT_EQ(state.truncations[0].good_bytes, whole.size());
  EXPECT_EQ(ReadFile(work_ / path), whole + "\x50");
}

TEST_F(ReaderTest, EverySizeAndCountHasItsBound) {
  options_.strict = false;
  options_.max_file_bytes = 20;
  const AgentState small = Read();
  EXPECT_FALSE(small.slave->info.has_value());
  EXPECT_THAT(small.problems[0].why, HasSubstr("more than the 20"));

  options_ = ReadOptions();
  options_.strict = false;
  options_.max_entries = 5;
  const AgentState few = Read();
  EXPECT_TRUE(std::any_of(few.problems.begin(), few.problems.end(),
                          [](const Problem& problem) {
                            return absl::StrContains(problem.why, "more than");
                          }));

  options_.max_problems = 1;
  const AgentState one = Read();
  EXPECT_EQ(one.problems.size(), 1u);
  EXPECT_GT(one.further_problems, 0u);
}

TEST_F(ReaderTest, AProcessWithoutDescriptorsDoesNotBlameTheTree) {
  options_.strict = false;
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  // This is enough for the first directories, and not for the runs.
  const int lowest = dup(0);
  ASSERT_GE(lowest, 0);
  close(lowest);
  const rlimit few = {static_cast<rlim_t>(lowest) + 4, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
  const auto state = ReadAgentState(work_.path(), options_);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_THAT(state, StatusIs(absl::StatusCode::kResourceExhausted));
}

TEST_F(ReaderTest, AnErrorNamesTheFileEscaped) {
  const std::string id = "\x1b[31m";
  fs::copy(work_ / absl::StrCat(kExecutors, "/e1"),
           work_ / absl::StrCat(kExecutors, "/", id),
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  Write(absl::StrCat(kExecutors, "/", id, "/executor.info"), "garbage");
  EXPECT_THAT(ReadAgentState(work_.path(), options_),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("executors/\\x1b[31m/executor.info"),
                             HasSubstr("text where a record should be"))));
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer

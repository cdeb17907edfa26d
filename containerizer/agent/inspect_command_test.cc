// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// `agent inspect` as its users start it.

#include <stdio.h>
#include <sys/wait.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "external_containerizer/state/model_file_system_testing.h"
#include "external_containerizer/state/sample_tree_testing.h"
#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/testing/test_data.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class InspectCommandTest : public ::testing::Test {
 protected:
  InspectCommandTest() {
    state::Materialize(state::SampleImage(), tree_.path());
  }

  // Runs a shell script in which $AGENT is the agent and $TREE a sample tree.
  // Returns its exit status.
  int Shell(const std::string& script) {
    const std::string command = absl::StrCat(
        "AGENT='", TestDataPath("containerizer/agent/agent"), "'; TREE='",
        tree_.path(), "'; { ", script, "\n} 2>'", errors_ / "err", "'");
    out_.clear();
    FILE* pipe = popen(command.c_str(), "r");
    EXPECT_NE(pipe, nullptr);
    if (pipe == nullptr) return -1;
    char buffer[65536];
    while (const size_t got = fread(buffer, 1, sizeof(buffer), pipe)) {
      out_.append(buffer, got);
    }
    const int status = pclose(pipe);
    err_ = state::ReadFile(errors_ / "err");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  void Damage() {
    state::WriteFile(tree_ / "meta/slaves/S0/slave.info", "????");
  }

  const state::TemporaryDirectory tree_{state::FastTemporaryPlace()};
  const state::TemporaryDirectory errors_;
  std::string out_, err_;
};

TEST_F(InspectCommandTest, ShowsATreeThatIsWhole) {
  EXPECT_EQ(Shell("$AGENT inspect $TREE"), 0);
  EXPECT_THAT(out_,
              AllOf(StartsWith("work_dir "), HasSubstr("run c2: state running"),
                    EndsWith(" truncations 0\n")));
  EXPECT_THAT(err_, IsEmpty());
}

TEST_F(InspectCommandTest, ChangesNothing) {
  const auto before = state::Snapshot(tree_.path());
  Damage();
  const auto damaged = state::Snapshot(tree_.path());
  EXPECT_EQ(Shell("$AGENT inspect $TREE; $AGENT inspect --json $TREE"), 1);
  EXPECT_TRUE(damaged == state::Snapshot(tree_.path()));
  EXPECT_FALSE(damaged == before);
}

TEST_F(InspectCommandTest, DamageShowsInTheExitStatus) {
  Damage();
  EXPECT_EQ(Shell("$AGENT inspect $TREE"), 1);
  EXPECT_THAT(out_, HasSubstr("meta/slaves/S0/slave.info: "));
  EXPECT_EQ(Shell("$AGENT inspect $TREE --json"), 1);
  EXPECT_THAT(out_, HasSubstr("{\"type\":\"damage\""));
}

TEST_F(InspectCommandTest, WhatCannotBeReadIsAnError) {
  EXPECT_EQ(Shell("$AGENT inspect $TREE/none"), 125);
  EXPECT_THAT(err_, AllOf(StartsWith("agent: "), HasSubstr("none")));
  EXPECT_THAT(out_, IsEmpty());
  EXPECT_EQ(Shell("$AGENT inspect --json $TREE/none"), 125);
  EXPECT_THAT(out_, StartsWith("{\"type\":\"error\""));
  EXPECT_EQ(Shell("$AGENT inspect $TREE/meta/boot_id"), 125);
}

TEST_F(InspectCommandTest, TheDirectoryIsAnArgumentOrAFlag) {
  for (const char* script :
       {"$AGENT inspect --work_dir=$TREE --json", "$AGENT inspect $TREE --json",
        "$AGENT inspect --json -- $TREE", "cd $TREE && $AGENT inspect --json .",
        "cd / && BUILD_WORKING_DIRECTORY=$TREE/meta $AGENT inspect --json "
        ".."}) {
    SCOPED_TRACE(script);
    EXPECT_EQ(Shell(script), 0);
    EXPECT_THAT(out_, HasSubstr("{\"type\":\"run\",\"id\":\"c3\""));
  }
  EXPECT_EQ(Shell("$AGENT inspect $TREE $TREE"), 125);
  EXPECT_THAT(err_, HasSubstr("one argument too many"));
  EXPECT_EQ(Shell("$AGENT inspect ''"), 125);
  EXPECT_THAT(err_, HasSubstr("empty"));
  EXPECT_EQ(Shell("XDG_STATE_HOME=$TREE/x $AGENT inspect"), 125);
  EXPECT_THAT(err_, HasSubstr("x/external_containerizer"));
}

TEST_F(InspectCommandTest, AReaderThatLeavesEndsItQuietly) {
  // Their lines fill the agent's buffer and the pipe more than once.
  for (int i = 0; i < 5'000; ++i) {
    std::filesystem::create_directories(
        tree_ /
        absl::StrCat("meta/slaves/S0/frameworks/F1/executors/e2/runs/r", i));
  }
  // The shell prints the agent's exit status; the pipe has that of head.
  EXPECT_EQ(Shell("{ $AGENT inspect $TREE; echo $? >&2; } | head -n 1"), 0);
  EXPECT_THAT(out_, StartsWith("work_dir "));
  EXPECT_EQ(err_, "0\n");
  Damage();
  EXPECT_EQ(Shell("{ $AGENT inspect $TREE; echo $? >&2; } | head -n 1"), 0);
  EXPECT_EQ(err_, "1\n");
}

TEST_F(InspectCommandTest, AFullDiskIsAnError) {
  EXPECT_EQ(Shell("$AGENT inspect $TREE >/dev/full"), 125);
  EXPECT_THAT(err_, HasSubstr("cannot write"));
}

TEST_F(InspectCommandTest, HelpNamesTheExitStatus) {
  EXPECT_EQ(Shell("$AGENT help inspect"), 0);
  EXPECT_THAT(out_, HasSubstr("1 if something is damaged"));
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/paths.h"

#include <string>

#include "absl/status/status.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

const RunId kRun = {"agent-S0", "frame-0001", "exec", "1-2-3"};

TEST(PathsTest, EachDirectoryIsWhereMesosHasIt) {
  EXPECT_EQ(AgentPath("S"), "slaves/S");
  EXPECT_EQ(FrameworkPath("S", "F"), "slaves/S/frameworks/F");
  EXPECT_EQ(ExecutorPath(kRun),
            "slaves/agent-S0/frameworks/frame-0001/executors/exec");
  EXPECT_EQ(RunPath(kRun),
            "slaves/agent-S0/frameworks/frame-0001/executors/exec/runs/1-2-3");
  EXPECT_EQ(MetaPath(AgentPath("S")), "meta/slaves/S");
}

TEST(PathsTest, ARunIsFoundInItsPathsAndInThoseBelow) {
  for (const std::string& path :
       {"/w/" + RunPath(kRun), "/w//" + RunPath(kRun) + "/",
        "/w/" + RunPath(kRun) + "/stdout"}) {
    const auto run = ParseRunPath("/w", path);
    ASSERT_THAT(run, IsOk()) << path;
    EXPECT_EQ(run->agent, kRun.agent);
    EXPECT_EQ(run->framework, kRun.framework);
    EXPECT_EQ(run->executor, kRun.executor);
    EXPECT_EQ(run->container, kRun.container);
  }
  EXPECT_THAT(ParseRunPath("/w/meta/", "/w/" + MetaPath(RunPath(kRun))),
              IsOk());
}

TEST(PathsTest, APathBesideTheRootIsNoRun) {
  for (const std::string& path :
       {"/other/" + RunPath(kRun), "/ww/" + RunPath(kRun), RunPath(kRun),
        "w/" + RunPath(kRun), std::string(), std::string("/")}) {
    EXPECT_THAT(ParseRunPath("/w", path),
                StatusIs(kInvalid, HasSubstr("does not lie below")))
        << path;
  }
}

TEST(PathsTest, AShortOrMisnamedPathIsNoRun) {
  EXPECT_THAT(ParseRunPath("/w", "/w/" + RunsPath(kRun)),
              StatusIs(kInvalid, HasSubstr("too short")));
  EXPECT_THAT(ParseRunPath("/w", "/w/slaves/S/frameworks/F/tasks/E/runs/C"),
              StatusIs(kInvalid, HasSubstr("executors")));
}

TEST(PathsTest, TheLatestLinkIsNoRun) {
  RunId run = kRun;
  run.container = "latest";
  EXPECT_THAT(ParseRunPath("/w", "/w/" + RunPath(run)), StatusIs(kInvalid));
}

TEST(PathsTest, AnIdThatIsNoNameOfADirectoryIsRefused) {
  EXPECT_THAT(Validate(kRun), IsOk());
  for (std::string RunId::*id : {&RunId::agent, &RunId::framework,
                                 &RunId::executor, &RunId::container}) {
    for (const char* bad : {"", ".", "..", "a/b", "latest", "-x", "a\nb"}) {
      RunId run = kRun;
      run.*id = bad;
      EXPECT_THAT(Validate(run), StatusIs(kInvalid)) << bad;
    }
  }
  RunId odd = kRun;
  odd.executor = ".a*?[b]";
  EXPECT_THAT(Validate(odd), IsOk());
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer

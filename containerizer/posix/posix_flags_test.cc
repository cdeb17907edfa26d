// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/posix_flags.h"

#include <sys/resource.h>

#include <string>

#include "absl/time/time.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(PosixFlagsTest, NoneAreTheDefaults) {
  const PosixFlags flags = ParsePosixFlags({"launch"}).value();
  EXPECT_THAT(flags.rest, ElementsAre("launch"));
  EXPECT_TRUE(flags.options.cgroups);
  EXPECT_TRUE(flags.options.cpu_quota);
  EXPECT_FALSE(flags.options.require_limits);
  EXPECT_EQ(flags.options.grace, absl::Seconds(3));
  EXPECT_THAT(ParsePosixFlags({})->rest, IsEmpty());
  EXPECT_THAT(ParsePosixFlags({"--cgroups=no", "--help", "launch"})->rest,
              ElementsAre("--help"));
}

TEST(PosixFlagsTest, EachIsUnderstood) {
  const PosixFlags flags =
      ParsePosixFlags({"--grace=500ms", "--cpu_quota=no", "--pids_max=9",
                       "--require_limits", "--cgroups=no",
                       "--cgroup_parent=/a/b", "--no_new_privileges=yes",
                       "--rlimit=nofile=64", "--rlimit=core=0:unlimited",
                       "launch", "--not_a_flag"})
          .value();
  EXPECT_THAT(flags.rest, ElementsAre("launch", "--not_a_flag"));
  EXPECT_EQ(flags.options.grace, absl::Milliseconds(500));
  EXPECT_FALSE(flags.options.cpu_quota);
  EXPECT_EQ(flags.options.pids_max, 9u);
  EXPECT_TRUE(flags.options.require_limits);
  EXPECT_FALSE(flags.options.cgroups);
  EXPECT_EQ(flags.options.cgroup_parent, "/a/b");
  EXPECT_TRUE(flags.options.no_new_privileges);
  ASSERT_EQ(flags.options.rlimits.size(), 2u);
  EXPECT_EQ(flags.options.rlimits[0].resource(), RLIMIT_NOFILE);
  EXPECT_EQ(flags.options.rlimits[0].soft(), 64u);
  EXPECT_EQ(flags.options.rlimits[0].hard(), 64u);
  EXPECT_EQ(flags.options.rlimits[1].resource(), RLIMIT_CORE);
  EXPECT_EQ(flags.options.rlimits[1].hard(), RLIM_INFINITY);
}

TEST(PosixFlagsTest, WhatIsWrongIsNamedWithWhatItShouldBe) {
  for (const char* wrong :
       {"--grace", "--grace=soon", "--grace=-1s", "--cpu_quota=maybe",
        "--cpu_quota=", "--pids_max=0", "--pids_max=x", "--pids_max",
        "--cgroup_parent=relative", "--cgroup_parent=/a/../b",
        "--cgroup_parent", "--rlimit=nofile", "--rlimit=files=1",
        "--rlimit=nofile=2:1", "--rlimit=nofile=1:2:3", "--rlimit=nofile=-1"}) {
    const std::string name(
        std::string(wrong).substr(0, std::string(wrong).find('=')));
    EXPECT_THAT(
        ParsePosixFlags({wrong}),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(name + " ")))
        << wrong;
  }
  EXPECT_THAT(ParsePosixFlags({"--cpus\x1b"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("no flag --cpus\\x1b")));
}

TEST(PosixFlagsTest, HelpFitsATerminal) {
  const std::string help = PosixHelp();
  EXPECT_THAT(help, HasSubstr("--require_limits"));
  size_t begin = 0;
  for (size_t end; (end = help.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    EXPECT_LE(end - begin, 79u) << help.substr(begin, end - begin);
  }
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/task_spec.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Executes in a child: its exit code, or 1000 + errno.
int Execute(const TaskSpec& spec) {
  int error[2];
  EXPECT_EQ(pipe2(error, O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    ExecuteTask(spec);
    const int why = errno;
    (void)!write(error[1], &why, sizeof(why));
    _exit(0);
  }
  close(error[1]);
  int why = 0;
  const bool failed = read(error[0], &why, sizeof(why)) == sizeof(why);
  close(error[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return failed ? 1000 + why : WEXITSTATUS(status);
}

TEST(TaskSpecTest, EveryStringArrives) {
  TaskSpec spec;
  spec.executable = "/bin/sh";
  spec.arguments = {"sh", "", "a\nb \"c\"", std::string(1 << 20, 'x')};
  spec.environment = {"A=", "B=1=2", "\xff=\xfe"};
  const std::optional<std::string> encoded = EncodeTaskSpec(spec);
  ASSERT_TRUE(encoded.has_value());
  const std::optional<TaskSpec> decoded = DecodeTaskSpec(*encoded);
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->executable, spec.executable);
  EXPECT_EQ(decoded->arguments, spec.arguments);
  EXPECT_EQ(decoded->environment, spec.environment);
}

TEST(TaskSpecTest, WhatComesBeforeTheExecArrives) {
  TaskSpec spec;
  spec.executable = "x";
  spec.cgroups = {"/a/cgroup.procs", "/b c/cgroup.procs"};
  spec.limits = {{RLIMIT_NOFILE, 64, RLIM_INFINITY}, {RLIMIT_CORE, 0, 0}};
  spec.user.emplace();
  spec.user->name = "nobody";
  spec.user->home = "/nonexistent";
  spec.user->uid = 65534;
  spec.user->gid = 65533;
  spec.user->groups = {65533, 7};
  spec.no_new_privileges = true;
  const std::string encoded = EncodeTaskSpec(spec).value();
  const TaskSpec decoded = DecodeTaskSpec(encoded).value();
  EXPECT_EQ(decoded.cgroups, spec.cgroups);
  ASSERT_EQ(decoded.limits.size(), 2u);
  EXPECT_EQ(decoded.limits[0].resource, RLIMIT_NOFILE);
  EXPECT_EQ(decoded.limits[0].soft, 64u);
  EXPECT_EQ(decoded.limits[0].hard, RLIM_INFINITY);
  ASSERT_TRUE(decoded.user.has_value());
  EXPECT_EQ(decoded.user->name, "nobody");
  EXPECT_EQ(decoded.user->home, "/nonexistent");
  EXPECT_EQ(decoded.user->uid, 65534u);
  EXPECT_EQ(decoded.user->gid, 65533u);
  EXPECT_EQ(decoded.user->groups, spec.user->groups);
  EXPECT_TRUE(decoded.no_new_privileges);
  for (size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_EQ(DecodeTaskSpec(encoded.substr(0, size)), std::nullopt) << size;
  }
  EXPECT_EQ(DecodeTaskSpec(encoded + '\0'), std::nullopt);
}

TEST(TaskSpecTest, NoArgumentsAndNoEnvironmentAreASpecToo) {
  TaskSpec spec;
  spec.executable = "x";
  const std::optional<TaskSpec> decoded =
      DecodeTaskSpec(EncodeTaskSpec(spec).value());
  ASSERT_TRUE(decoded.has_value());
  EXPECT_THAT(decoded->arguments, IsEmpty());
  EXPECT_THAT(decoded->environment, IsEmpty());
}

TEST(TaskSpecTest, ANulCannotBePassedOn) {
  TaskSpec spec;
  spec.executable = "x";
  spec.environment = {std::string("A=b\0c", 5)};
  EXPECT_EQ(EncodeTaskSpec(spec), std::nullopt);
}

TEST(TaskSpecTest, ACutSpecIsNone) {
  TaskSpec spec;
  spec.executable = "x";
  spec.arguments = {"a", "b"};
  const std::string encoded = EncodeTaskSpec(spec).value();
  for (size_t size = 0; size < encoded.size(); ++size) {
    EXPECT_EQ(DecodeTaskSpec(encoded.substr(0, size)), std::nullopt) << size;
  }
}

TEST(TaskSpecTest, ANameIsLookedUpInTheTasksPath) {
  std::string directory = ::testing::TempDir() + "/path_XXXXXX";
  ASSERT_NE(mkdtemp(directory.data()), nullptr);
  const std::string file = directory + "/only-there";
  FILE* script = fopen(file.c_str(), "we");
  ASSERT_NE(script, nullptr);
  fputs("#!/bin/sh\nexit $1\n", script);
  fclose(script);

  TaskSpec spec;
  spec.executable = "only-there";
  spec.arguments = {"only-there", "7"};
  spec.environment = {"PATH=/nowhere:" + directory};
  EXPECT_EQ(Execute(spec), 1000 + EACCES);
  ASSERT_EQ(chmod(file.c_str(), 0700), 0);
  EXPECT_EQ(Execute(spec), 7);
  spec.environment = {"PATH=/nowhere"};
  EXPECT_EQ(Execute(spec), 1000 + ENOENT);
  spec.environment = {};
  spec.executable = "sh";
  spec.arguments = {"sh", "-c", "exit 4"};
  EXPECT_EQ(Execute(spec), 4) << "without PATH the usual one counts";
  spec.executable = "";
  EXPECT_EQ(Execute(spec), 1000 + ENOENT);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

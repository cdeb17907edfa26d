// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/user_paths.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/random_name.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::HasSubstr;

Surroundings Here() {
  Surroundings surroundings;
  surroundings.directory = "/here";
  return surroundings;
}

TEST(UserPathsTest, RelativePathsAreTheUsers) {
  Surroundings surroundings = Here();
  EXPECT_EQ(UserPath(surroundings, "a/b"), "/here/a/b");
  EXPECT_EQ(UserPath(surroundings, "/a"), "/a");
  surroundings.environment["BUILD_WORKING_DIRECTORY"] = "/bazel";
  EXPECT_EQ(UserPath(surroundings, "a/b"), "/bazel/a/b");
  surroundings.environment["BUILD_WORKING_DIRECTORY"] = "relative";
  EXPECT_EQ(UserPath(surroundings, "a/b"), "/here/a/b");
}

TEST(UserPathsTest, WorkDirectoryIsStateOfTheUser) {
  Surroundings surroundings = Here();
  surroundings.environment["HOME"] = "/usr";
  EXPECT_THAT(DefaultWorkDirectory(surroundings),
              IsOkAndHolds("/usr/.local/state/external_containerizer"));
  surroundings.environment["XDG_STATE_HOME"] = "relative";
  EXPECT_THAT(DefaultWorkDirectory(surroundings),
              IsOkAndHolds("/usr/.local/state/external_containerizer"));
  surroundings.environment["XDG_STATE_HOME"] = "/state";
  EXPECT_THAT(DefaultWorkDirectory(surroundings),
              IsOkAndHolds("/state/external_containerizer"));
}

TEST(UserPathsTest, WithoutAHomeAWorkDirectoryIsAskedFor) {
  Surroundings surroundings = Here();
  surroundings.environment["HOME"] = "/nonexistent/home";
  EXPECT_THAT(DefaultWorkDirectory(surroundings),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("HOME=/nonexistent/home is no directory")));
  surroundings.environment.erase("HOME");
  EXPECT_THAT(DefaultWorkDirectory(surroundings),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("--work_dir=DIR")));
}

TEST(UserPathsTest, ProgramIsAWordThatMayHaveArguments) {
  Surroundings surroundings = Here();
  EXPECT_THAT(ProgramCommand(surroundings, "bin/p --fast 'a b'"),
              IsOkAndHolds("/here/bin/p --fast 'a b'"));
  EXPECT_THAT(ProgramCommand(surroundings, "./p"), IsOkAndHolds("/here/./p"));
  for (const char* as_it_is :
       {"/bin/p x", "p x/y", "~/p", "$HOME/p", "\"/a b/p\"", "'/a b/p'"}) {
    EXPECT_THAT(ProgramCommand(surroundings, as_it_is), IsOkAndHolds(as_it_is));
  }
  surroundings.directory = "/my here";
  EXPECT_THAT(ProgramCommand(surroundings, "./p"),
              IsOkAndHolds("'/my here/'./p"));
  for (const char* nothing : {"", "  "}) {
    EXPECT_THAT(ProgramCommand(surroundings, nothing),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

class ShippedProgramTest : public ::testing::Test {
 protected:
  ShippedProgramTest() {
    const std::string path = ::testing::TempDir() + "/" + RandomName();
    EXPECT_THAT(MakePath(path + "/agent"), IsOk());
    char real[PATH_MAX];
    EXPECT_NE(realpath(path.c_str(), real), nullptr);
    root_ = real;
    EXPECT_THAT(MakePath(root_ + "/posix"), IsOk());
    EXPECT_THAT(MakePath(root_ + "/program"), IsOk());
  }

  void Install(const std::string& path) {
    const UniqueFd file(
        open((root_ + path).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0755));
    ASSERT_TRUE(file.valid());
  }

  std::string root_;
};

TEST_F(ShippedProgramTest, IsFoundWhereBazelPutsIt) {
  Install("/posix/posix");
  Surroundings surroundings = Here();
  surroundings.argv0 = root_ + "/agent/agent";
  EXPECT_THAT(ShippedProgram(surroundings),
              IsOkAndHolds(root_ + "/posix/posix"));
  surroundings.argv0 = "agent";
  surroundings.executable = root_ + "/agent/agent";
  EXPECT_THAT(ShippedProgram(surroundings),
              IsOkAndHolds(root_ + "/posix/posix"));
  surroundings.executable.clear();
  surroundings.directory = root_ + "/agent";
  surroundings.argv0 = "./agent";
  EXPECT_THAT(ShippedProgram(surroundings),
              IsOkAndHolds(HasSubstr("/posix/posix")));
}

TEST_F(ShippedProgramTest, IsFoundBesideTheAgent) {
  Install("/agent/posix");
  Surroundings surroundings = Here();
  surroundings.argv0 = root_ + "/agent/agent";
  EXPECT_THAT(ShippedProgram(surroundings),
              IsOkAndHolds(root_ + "/agent/posix"));
}

TEST_F(ShippedProgramTest, MissingNamesThePlaces) {
  Surroundings surroundings = Here();
  surroundings.argv0 = root_ + "/agent/agent";
  EXPECT_THAT(
      ShippedProgram(surroundings),
      StatusIs(absl::StatusCode::kNotFound, HasSubstr(root_ + "/posix/posix")));
}

TEST_F(ShippedProgramTest, IsMeantByItsBareNameWherePathHasNone) {
  Install("/posix/posix");
  Install("/agent/exec_helper");
  Surroundings surroundings = Here();
  surroundings.argv0 = root_ + "/agent/agent";
  // The directory `program` is no program.
  surroundings.environment["PATH"] = "/nowhere:" + root_ + "/program";
  EXPECT_THAT(ProgramCommand(surroundings, "posix --rlimit=nofile=256"),
              IsOkAndHolds(root_ + "/posix/posix --rlimit=nofile=256"));
  EXPECT_THAT(ProgramCommand(surroundings, "exec_helper './p --option'"),
              IsOkAndHolds(root_ + "/agent/exec_helper './p --option'"));
  Install("/program/exec_helper");
  surroundings.environment["PATH"] = "/nowhere";
  EXPECT_THAT(ProgramCommand(surroundings, "exec_helper ./p"),
              IsOkAndHolds(root_ + "/program/exec_helper ./p"));
  EXPECT_THAT(ProgramCommand(surroundings, "posix2"), IsOkAndHolds("posix2"));
  EXPECT_THAT(ProgramCommand(surroundings, "./posix"),
              IsOkAndHolds("/here/./posix"));
}

TEST_F(ShippedProgramTest, GivesWayToOneInPath) {
  Install("/posix/posix");
  Install("/program/exec_helper");
  Surroundings surroundings = Here();
  surroundings.argv0 = root_ + "/agent/agent";
  surroundings.environment["PATH"] =
      "/nowhere:" + root_ + "/posix:" + root_ + "/program";
  for (const char* as_it_is : {"posix --help", "exec_helper ./p"}) {
    EXPECT_THAT(ProgramCommand(surroundings, as_it_is), IsOkAndHolds(as_it_is));
  }
  surroundings.directory = root_;
  surroundings.environment["PATH"] = "program";
  EXPECT_THAT(ProgramCommand(surroundings, "exec_helper ./p"),
              IsOkAndHolds("exec_helper ./p"));
}

TEST_F(ShippedProgramTest, MissingBareNameStaysAsItIs) {
  Surroundings surroundings = Here();
  surroundings.argv0 = root_ + "/agent/agent";
  for (const char* as_it_is : {"posix --help", "exec_helper ./p"}) {
    EXPECT_THAT(ProgramCommand(surroundings, as_it_is), IsOkAndHolds(as_it_is));
  }
}

TEST_F(ShippedProgramTest, TaskProgramIsTheUsersIfItIsThere) {
  Install("/agent/script");
  Surroundings surroundings = Here();
  surroundings.directory = root_;
  EXPECT_EQ(TaskProgram(surroundings, "agent/script"), root_ + "/agent/script");
  EXPECT_EQ(TaskProgram(surroundings, "./nothing"), "./nothing");
  EXPECT_EQ(TaskProgram(surroundings, "sh"), "sh");
  EXPECT_EQ(TaskProgram(surroundings, "/bin/sh"), "/bin/sh");
}

TEST(ShellWordTest, QuotesWhatAShellWouldTakeApart) {
  EXPECT_EQ(ShellWord("/a/b-c_d.e+f"), "/a/b-c_d.e+f");
  EXPECT_EQ(ShellWord("/a b"), "'/a b'");
  EXPECT_EQ(ShellWord("/a'b;c"), "'/a'\\''b;c'");
  EXPECT_EQ(ShellWord("/a~b"), "'/a~b'");
  EXPECT_EQ(ShellWord(""), "''");
}

}  // namespace
}  // namespace external_containerizer

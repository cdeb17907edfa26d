// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/sandbox_layout.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/state/paths.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/random_name.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

constexpr char kRuns[] = "slaves/S/frameworks/F/executors/E/runs";

class SandboxLayoutTest : public ::testing::Test {
 protected:
  SandboxLayoutTest() : path_(::testing::TempDir() + "/" + RandomName()) {
    EXPECT_THAT(MakePath(path_), IsOk());
    root_ = UniqueFd(open(path_.c_str(), O_DIRECTORY | O_CLOEXEC));
  }

  std::string Latest() {
    char target[4096];
    const std::string link = path_ + "/" + kRuns + "/latest";
    const ssize_t size = readlink(link.c_str(), target, sizeof(target));
    return size < 0 ? "" : std::string(target, static_cast<size_t>(size));
  }

  std::string path_;
  UniqueFd root_;
};

TEST_F(SandboxLayoutTest, SandboxIsWhereMesosHasIt) {
  const auto made = MakeSandbox(path_, root_.get(), {"S", "F", "E", "C"});
  ASSERT_THAT(made, IsOk());
  EXPECT_EQ(made->sandbox.root, path_);
  EXPECT_EQ(made->sandbox.path, std::string(kRuns) + "/C");
  struct stat by_path, by_descriptor;
  ASSERT_EQ(stat(made->sandbox.FullPath().c_str(), &by_path), 0);
  ASSERT_EQ(fstat(made->directory.get(), &by_descriptor), 0);
  EXPECT_EQ(by_path.st_ino, by_descriptor.st_ino);
  EXPECT_EQ(by_path.st_mode & 07027, 0u);
  EXPECT_EQ(Latest(), made->sandbox.FullPath());
}

TEST_F(SandboxLayoutTest, SandboxIsItsOwners) {
  // A user without privileges may give files to itself only.
  const Sandbox::Owner self = {geteuid(), getegid()};
  const auto made = MakeSandbox(path_, root_.get(), {"S", "F", "E", "C"}, self);
  ASSERT_THAT(made, IsOk());
  ASSERT_TRUE(made->sandbox.owner.has_value());
  EXPECT_EQ(made->sandbox.owner->uid, self.uid);
  if (geteuid() != 0) {
    EXPECT_THAT(MakeSandbox(path_, root_.get(), {"S", "F", "E", "D"},
                            Sandbox::Owner{0, 0}),
                ::testing::Not(IsOk()));
  }
}

TEST_F(SandboxLayoutTest, LatestIsTheNewest) {
  ASSERT_THAT(MakeSandbox(path_, root_.get(), {"S", "F", "E", "1"}), IsOk());
  ASSERT_THAT(MakeSandbox(path_, root_.get(), {"S", "F", "E", "2"}), IsOk());
  EXPECT_EQ(Latest(), path_ + "/" + kRuns + "/2");
}

TEST_F(SandboxLayoutTest, SandboxIsMadeOnce) {
  ASSERT_THAT(MakeSandbox(path_, root_.get(), {"S", "F", "E", "1"}), IsOk());
  EXPECT_THAT(MakeSandbox(path_, root_.get(), {"S", "F", "E", "1"}),
              StatusIs(absl::StatusCode::kAlreadyExists));
}

TEST_F(SandboxLayoutTest, IdsAreFileNames) {
  for (const state::RunId& run :
       {state::RunId{"S", "F", "..", "C"}, state::RunId{"a/b", "F", "E", "C"},
        state::RunId{"S", "", "E", "C"},
        state::RunId{"S", "F", "E", "latest"}}) {
    EXPECT_THAT(MakeSandbox(path_, root_.get(), run),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(NamesIn(root_.get(), 1), IsOkAndHolds(::testing::IsEmpty()));
}

TEST_F(SandboxLayoutTest, LinksOnTheWayAreNotFollowed) {
  const std::string elsewhere = path_ + "/elsewhere";
  ASSERT_THAT(MakePath(elsewhere), IsOk());
  ASSERT_THAT(MakePath(path_ + "/slaves/S"), IsOk());
  ASSERT_EQ(
      symlink(elsewhere.c_str(), (path_ + "/slaves/S/frameworks").c_str()), 0);
  EXPECT_THAT(MakeSandbox(path_, root_.get(), {"S", "F", "E", "1"}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_NE(access((elsewhere + "/F").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace external_containerizer

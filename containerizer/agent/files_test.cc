// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/agent/files.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/random_name.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() : path_(absl::StrCat(::testing::TempDir(), "/", RandomName())) {
    EXPECT_THAT(MakePath(path_), IsOk());
    root_ = UniqueFd(open(path_.c_str(), O_DIRECTORY | O_CLOEXEC));
  }

  void Touch(const std::string& name) {
    const UniqueFd file(openat(root_.get(), name.c_str(),
                               O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    ASSERT_TRUE(file.valid()) << name;
  }

  void Make(const std::string& name) {
    ASSERT_EQ(mkdirat(root_.get(), name.c_str(), 0700), 0) << name;
  }

  bool Exists(const std::string& name) {
    return faccessat(root_.get(), name.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  }

  std::string path_;
  UniqueFd root_;
};

TEST_F(FilesTest, RemoveTreeRemovesEverythingInIt) {
  Make("tree");
  Make("tree/a");
  Make("tree/a/b");
  Touch("tree/x");
  Touch("tree/a/b/y");
  Touch("beside");
  EXPECT_THAT(RemoveTree(root_.get(), "tree"), IsOk());
  EXPECT_THAT(NamesIn(root_.get(), 10), IsOkAndHolds(ElementsAre("beside")));
}

TEST_F(FilesTest, RemoveTreeOfNothingIsDone) {
  EXPECT_THAT(RemoveTree(root_.get(), "nothing"), IsOk());
}

TEST_F(FilesTest, RemoveTreeFollowsNoLink) {
  Make("elsewhere");
  Touch("elsewhere/precious");
  Make("tree");
  ASSERT_EQ(symlinkat("../elsewhere", root_.get(), "tree/link"), 0);
  ASSERT_EQ(symlinkat("elsewhere", root_.get(), "link"), 0);
  EXPECT_THAT(RemoveTree(root_.get(), "tree"), IsOk());
  EXPECT_THAT(RemoveTree(root_.get(), "link"), IsOk());
  EXPECT_TRUE(Exists("elsewhere/precious"));
  EXPECT_FALSE(Exists("link"));
}

// While this lives, file modes bind root, too.
class WithoutOverride {
 public:
  WithoutOverride() {
    EXPECT_EQ(syscall(SYS_capget, &header_, before_), 0);
    struct __user_cap_data_struct less[2] = {before_[0], before_[1]};
    less[0].effective &=
        ~((1u << CAP_DAC_OVERRIDE) | (1u << CAP_DAC_READ_SEARCH));
    EXPECT_EQ(syscall(SYS_capset, &header_, less), 0);
  }
  ~WithoutOverride() { EXPECT_EQ(syscall(SYS_capset, &header_, before_), 0); }

 private:
  struct __user_cap_header_struct header_ = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct before_[2] = {};
};

TEST_F(FilesTest, RemoveTreeRemovesWhatModesForbid) {
  Make("tree");
  Make("tree/locked");
  Make("tree/locked/inner");
  Touch("tree/locked/inner/file");
  for (const char* name : {"tree/locked/inner", "tree/locked", "tree"}) {
    ASSERT_EQ(fchmodat(root_.get(), name, 0, 0), 0);
  }
  {
    const WithoutOverride as_anybody;
    ASSERT_EQ(openat(root_.get(), "tree", O_RDONLY | O_CLOEXEC), -1);
    EXPECT_THAT(RemoveTree(root_.get(), "tree"), IsOk());
  }
  EXPECT_FALSE(Exists("tree"));
}

TEST_F(FilesTest, RemoveTreeIsNotLimitedByDepthOrDescriptors) {
  UniqueFd at(openat(root_.get(), ".", O_DIRECTORY | O_CLOEXEC));
  Make("tree");
  for (int i = 0; i < 3000; ++i) {
    const char* name = i == 0 ? "tree" : "d";
    ASSERT_TRUE(mkdirat(at.get(), name, 0700) == 0 || i == 0);
    at = UniqueFd(openat(at.get(), name, O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(at.valid());
  }
  at = UniqueFd();
  EXPECT_THAT(RemoveTree(root_.get(), "tree"), IsOk());
  EXPECT_FALSE(Exists("tree"));
}

TEST_F(FilesTest, RemoveTreeRemovesMoreThanIsListedAtOnce) {
  Make("tree");
  Make("tree/d");
  for (int i = 0; i < 5000; ++i) Touch(absl::StrCat("tree/d/", i));
  EXPECT_THAT(RemoveTree(root_.get(), "tree"), IsOk());
  EXPECT_FALSE(Exists("tree"));
}

TEST_F(FilesTest, RemoveTreeNamesWhatResistsByItsPathAndTheKernelsReason) {
  ASSERT_EQ(mkdirat(root_.get(), "tree", 0700), 0);
  ASSERT_EQ(mkdirat(root_.get(), "tree/a", 0700), 0);
  ASSERT_EQ(mkdirat(root_.get(), "tree/a/b", 0700), 0);
  const UniqueFd file(
      openat(root_.get(), "tree/a/b/c", O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  ASSERT_TRUE(file.valid());
  int attributes = FS_IMMUTABLE_FL;
  if (ioctl(file.get(), FS_IOC_SETFLAGS, &attributes) != 0) {
    GTEST_SKIP() << "no immutable files here, for this user";
  }
  const absl::Status removed = RemoveTree(root_.get(), "tree");
  attributes = 0;
  EXPECT_EQ(ioctl(file.get(), FS_IOC_SETFLAGS, &attributes), 0);
  EXPECT_THAT(removed, StatusIs(absl::StatusCode::kPermissionDenied,
                                HasSubstr("a/b/c: Operation not permitted")));
  EXPECT_THAT(RemoveTree(root_.get(), "tree"), IsOk());
}

TEST_F(FilesTest, RemoveTreeLeavesWhatIsMountedAlone) {
  Make("volume");
  Touch("volume/precious");
  Make("tree");
  Make("tree/mounted");
  const std::string target = path_ + "/tree/mounted";
  if (mount((path_ + "/volume").c_str(), target.c_str(), nullptr, MS_BIND,
            nullptr) != 0) {
    GTEST_SKIP() << "may not mount";
  }
  const absl::Status removed = RemoveTree(root_.get(), "tree");
  ASSERT_EQ(umount2(target.c_str(), MNT_DETACH), 0);
  EXPECT_THAT(removed,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("\"mounted\" is mounted; unmount it")));
  EXPECT_TRUE(Exists("volume/precious"));
}

TEST_F(FilesTest, MakeDirectoriesMakesWhatIsMissing) {
  Make("a");
  auto made = MakeDirectories(root_.get(), "a/b/c", 0750, path_);
  ASSERT_THAT(made, IsOk());
  struct stat status;
  ASSERT_EQ(fstat(made->get(), &status), 0);
  EXPECT_EQ(status.st_mode & 07027, 0u);
  EXPECT_TRUE(Exists("a/b/c"));
}

TEST_F(FilesTest, MakeDirectoriesFollowsNoLink) {
  Make("elsewhere");
  ASSERT_EQ(symlinkat("elsewhere", root_.get(), "link"), 0);
  EXPECT_THAT(MakeDirectories(root_.get(), "link/x", 0750, "R"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("cannot open the directory R/link: ")));
  EXPECT_FALSE(Exists("elsewhere/x"));
}

TEST_F(FilesTest, MakeDirectoriesStaysBeneath) {
  for (const char* bad : {"..", "a/../b", "", "a//b", "/a", "a/."}) {
    EXPECT_THAT(MakeDirectories(root_.get(), bad, 0750, "R"),
                StatusIs(absl::StatusCode::kFailedPrecondition))
        << bad;
  }
}

TEST_F(FilesTest, MakePathSaysWhichDirectoryIsInTheWay) {
  Touch("file");
  EXPECT_THAT(MakePath(path_ + "/file/x"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr(path_ + "/file: Not a directory")));
  EXPECT_THAT(MakePath(path_ + "/a/b"), IsOk());
  EXPECT_THAT(MakePath(path_ + "/a/b"), IsOk());
  EXPECT_TRUE(Exists("a/b"));
}

TEST_F(FilesTest, NamesInIsBounded) {
  Touch("a");
  Touch("b");
  EXPECT_THAT(NamesIn(root_.get(), 10),
              IsOkAndHolds(UnorderedElementsAre("a", "b")));
  const auto one = NamesIn(root_.get(), 1);
  ASSERT_THAT(one, IsOk());
  EXPECT_EQ(one->size(), 1u);
}

}  // namespace
}  // namespace external_containerizer

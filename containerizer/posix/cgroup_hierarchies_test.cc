// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/cgroup_hierarchies.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// No mount covers another.
std::vector<CgroupHierarchy> Parse(const std::string& mountinfo,
                                   const std::string& cgroups) {
  return ParseCgroupHierarchies(mountinfo, cgroups,
                                [](const std::string&, int) { return true; });
}

std::string Own(const CgroupHierarchy& hierarchy) {
  return CgroupPath(hierarchy, hierarchy.own).value_or("none");
}

TEST(CgroupHierarchiesTest, VersionOneHasAHierarchyPerController) {
  const auto found = Parse(
      "25 20 0:22 / /sys/fs/cgroup ro,nosuid shared:8 - tmpfs tmpfs "
      "ro,mode=755\n"
      "26 25 0:23 / /sys/fs/cgroup/systemd rw shared:9 - cgroup cgroup "
      "rw,xattr,name=systemd\n"
      "30 25 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:10 - cgroup "
      "cgroup rw,cpu,cpuacct\n"
      "31 25 0:28 / /sys/fs/cgroup/memory rw shared:11 master:2 - cgroup "
      "cgroup "
      "rw,memory\n",
      "5:memory:/user.slice/one\n4:cpu,cpuacct:/user.slice\n"
      "1:name=systemd:/user.slice/session\n");
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_FALSE(found[0].unified);
  EXPECT_THAT(found[0].controllers, ElementsAre("memory"));
  EXPECT_EQ(Own(found[0]), "/sys/fs/cgroup/memory/user.slice/one");
  EXPECT_TRUE(found[0].writable);
  EXPECT_THAT(found[1].controllers, ElementsAre("cpu", "cpuacct"));
  EXPECT_EQ(Own(found[1]), "/sys/fs/cgroup/cpu,cpuacct/user.slice");
}

TEST(CgroupHierarchiesTest, BothVersionsAtOnce) {
  const auto found = Parse(
      "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
      "33 31 0:30 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
      "2:cpuacct:/\n1:cpu:/\n0::/\n");
  ASSERT_THAT(found, SizeIs(3));
  EXPECT_THAT(found[0].controllers, ElementsAre("cpuacct"));
  EXPECT_THAT(found[1].controllers, ElementsAre("cpu"))
      << "cpu is no part of the option cpuacct";
  EXPECT_EQ(Own(found[1]), "/sys/fs/cgroup/cpu");
  EXPECT_TRUE(found[2].unified);
  EXPECT_THAT(found[2].controllers, IsEmpty());
  EXPECT_EQ(Own(found[2]), "/sys/fs/cgroup/unified");
}

TEST(CgroupHierarchiesTest, VersionTwoAlone) {
  const auto found = Parse(
      "26 22 0:25 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 "
      "rw,nsdelegate\n",
      "0::/system.slice/agent.service\n");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_TRUE(found[0].unified);
  EXPECT_EQ(Own(found[0]), "/sys/fs/cgroup/system.slice/agent.service");
  EXPECT_EQ(CgroupPath(found[0], "/delegated"), "/sys/fs/cgroup/delegated");
  EXPECT_EQ(CgroupPath(found[0], "/delegated/"), "/sys/fs/cgroup/delegated");
  EXPECT_EQ(CgroupPath(found[0], "/a/../b"), std::nullopt);
}

TEST(CgroupHierarchiesTest, None) {
  EXPECT_THAT(Parse("", ""), IsEmpty());
  EXPECT_THAT(Parse("22 1 8:1 / / rw - ext4 /dev/root rw\n", "0::/\n"),
              IsEmpty());
  EXPECT_THAT(Parse("26 22 0:25 / /c rw - cgroup2 cgroup2 rw\n", ""),
              IsEmpty());
}

TEST(CgroupHierarchiesTest, ANamespacesRootIsCutOff) {
  // A container without a cgroup namespace sees its own cgroup mounted.
  const auto found = Parse(
      "40 39 0:28 /docker/ab /sys/fs/cgroup/memory ro - cgroup cgroup "
      "rw,memory\n"
      "41 39 0:29 /docker/abc /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n",
      "5:memory:/docker/ab/inner\n4:pids:/docker/ab\n");
  ASSERT_THAT(found, SizeIs(1)) << "/docker/ab is not below /docker/abc";
  EXPECT_EQ(Own(found[0]), "/sys/fs/cgroup/memory/inner");
  EXPECT_FALSE(found[0].writable);
  EXPECT_EQ(CgroupPath(found[0], "/docker/other"), std::nullopt);
  EXPECT_EQ(CgroupPath(found[0], "/docker/abc"), std::nullopt);
  EXPECT_EQ(CgroupPath(found[0], "/docker/ab"), "/sys/fs/cgroup/memory");
}

TEST(CgroupHierarchiesTest, WhatIsOutsideOfTheNamespaceIsNotSeen) {
  EXPECT_THAT(Parse("26 22 0:25 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
                    "0::/../outside\n"),
              IsEmpty());
  EXPECT_THAT(
      Parse("26 22 0:25 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
            "0::/\n"),
      IsEmpty());
}

TEST(CgroupHierarchiesTest, PathsAreUnescaped) {
  const auto found = Parse(
      "26 22 0:25 /a\\040b /mnt/my\\040cgroups\\134x rw - cgroup cgroup "
      "rw,memory\n",
      "5:memory:/a b/c:d\n");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(Own(found[0]), "/mnt/my cgroups\\x/c:d");
}

TEST(CgroupHierarchiesTest, OfSeveralMountsAWritableOneThatHasUsInIt) {
  const std::string elsewhere =
      "40 39 0:28 /other /mnt/other rw - cgroup cgroup rw,memory\n";
  const std::string read_only =
      "41 39 0:28 / /mnt/ro ro - cgroup cgroup rw,memory\n";
  const std::string writable =
      "42 39 0:28 / /mnt/rw rw - cgroup cgroup rw,memory\n";
  const std::string late =
      "43 39 0:28 / /mnt/late rw - cgroup cgroup rw,memory\n";
  const std::string own = "5:memory:/us\n";
  auto found = Parse(elsewhere + read_only + writable + late, own);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(Own(found[0]), "/mnt/rw/us");
  found = Parse(elsewhere + read_only, own);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_FALSE(found[0].writable);
}

// A machine with mounts for a chroot.
constexpr char kUsual[] =
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
constexpr char kOfAChroot[] =
    "20 31 0:32 / /srv/chroot/sys/fs/cgroup/memory rw - cgroup cgroup "
    "rw,memory\n";

TEST(CgroupHierarchiesTest, TheUsualPlaceIsTakenBeforeAChrootsMount) {
  for (const std::string& mounts :
       {std::string(kOfAChroot) + kUsual, std::string(kUsual) + kOfAChroot}) {
    const auto found = Parse(mounts, "5:memory:/us\n");
    ASSERT_THAT(found, SizeIs(1));
    EXPECT_EQ(Own(found[0]), "/sys/fs/cgroup/memory/us");
  }
}

TEST(CgroupHierarchiesTest, TheWholeHierarchyIsTakenBeforeAPartOfIt) {
  const auto found = Parse(
      "19 31 0:32 /us /sys/fs/cgroup/part rw - cgroup cgroup rw,memory\n"
      "20 31 0:32 / /mnt/whole rw - cgroup cgroup rw,memory\n",
      "5:memory:/us\n");
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(Own(found[0]), "/mnt/whole/us");
}

TEST(CgroupHierarchiesTest, AMountThatAnotherCoversIsNotTaken) {
  const std::string mounts =
      std::string(kUsual) +
      "20 31 0:32 / /mnt/two rw - cgroup cgroup rw,memory\n"
      "21 20 0:32 / /mnt/two ro - cgroup cgroup rw,memory\n";
  // The later line covers the earlier, so /sys/fs/cgroup is hidden.
  auto is_reachable = [](const std::string&, int id) { return id == 21; };
  auto found = ParseCgroupHierarchies(mounts, "5:memory:/us\n", is_reachable);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(Own(found[0]), "/mnt/two/us");
  EXPECT_FALSE(found[0].writable);
  found = ParseCgroupHierarchies(mounts, "5:memory:/us\n",
                                 [](const std::string&, int) { return false; });
  EXPECT_THAT(found, IsEmpty());
}

// The test has a mount namespace of its own, so other processes do not see its
// mounts.
TEST(CgroupHierarchiesTest, ASecondMountOfThisMachineChangesNothing) {
  const std::vector<CgroupHierarchy> before = FindCgroupHierarchies();
  if (before.empty()) GTEST_SKIP() << "no cgroups";
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
      _exit(77);
    }
    std::string directory = ::testing::TempDir() + "/second_XXXXXX";
    if (mkdtemp(directory.data()) == nullptr) _exit(77);
    for (const CgroupHierarchy& hierarchy : before) {
      const char* const from = hierarchy.mount_point.c_str();
      // The first mount is writable. The second covers it, and is read-only.
      if (mount(from, directory.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
          mount(from, directory.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
          mount("none", directory.c_str(), nullptr,
                MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0) {
        _exit(77);
      }
    }
    const std::vector<CgroupHierarchy> now = FindCgroupHierarchies();
    if (now.size() != before.size()) _exit(1);
    for (size_t i = 0; i < now.size(); ++i) {
      if (now[i].mount_point != before[i].mount_point) _exit(2);
    }
    // The usual place is covered, so the second mounts are used.
    const std::string first = before[0].mount_point;
    if (mount("none", first.c_str(), "tmpfs", 0, nullptr) != 0) _exit(77);
    for (const CgroupHierarchy& hierarchy : FindCgroupHierarchies()) {
      if (hierarchy.mount_point == first) _exit(3);
    }
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "may not mount";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(CgroupHierarchiesTest, NonsenseIsPassedOver) {
  EXPECT_THAT(
      Parse("\n-\n- - - -\n1 2 3\n1 2 3 4 5 6 - cgroup\nx - cgroup cgroup\n"
            "26 22 0:25 / /c rw - cgroup cgroup rw,memory\n",
            "\n:\n::\n:::\n5:memory\n5:memory:relative\n5:,:/\n0:x:/\n9::/\n"),
      IsEmpty());
}

TEST(CgroupHierarchiesTest, WhatThisMachineHasIsThere) {
  for (const CgroupHierarchy& hierarchy : FindCgroupHierarchies()) {
    EXPECT_EQ(hierarchy.mount_point[0], '/');
    EXPECT_NE(Own(hierarchy), "none");
  }
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

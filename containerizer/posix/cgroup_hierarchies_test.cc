// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/cgroup_hierarchies.h"

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

std::string Own(const CgroupHierarchy& hierarchy) {
  return CgroupPath(hierarchy, hierarchy.own).value_or("none");
}

TEST(CgroupHierarchiesTest, VersionOneHasAHierarchyPerController) {
  const auto found = ParseCgroupHierarchies(
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
  const auto found = ParseCgroupHierarchies(
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
  const auto found = ParseCgroupHierarchies(
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
  EXPECT_THAT(ParseCgroupHierarchies("", ""), IsEmpty());
  EXPECT_THAT(
      ParseCgroupHierarchies("22 1 8:1 / / rw - ext4 /dev/root rw\n", "0::/\n"),
      IsEmpty());
  EXPECT_THAT(
      ParseCgroupHierarchies("26 22 0:25 / /c rw - cgroup2 cgroup2 rw\n", ""),
      IsEmpty());
}

TEST(CgroupHierarchiesTest, ANamespacesRootIsCutOff) {
  // A container without a cgroup namespace: its own cgroup is what is mounted.
  const auto found = ParseCgroupHierarchies(
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
  EXPECT_THAT(ParseCgroupHierarchies(
                  "26 22 0:25 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
                  "0::/../outside\n"),
              IsEmpty());
  EXPECT_THAT(ParseCgroupHierarchies(
                  "26 22 0:25 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
                  "0::/\n"),
              IsEmpty());
}

TEST(CgroupHierarchiesTest, PathsAreUnescaped) {
  const auto found = ParseCgroupHierarchies(
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
  auto found =
      ParseCgroupHierarchies(elsewhere + read_only + writable + late, own);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(Own(found[0]), "/mnt/rw/us");
  found = ParseCgroupHierarchies(elsewhere + read_only, own);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_FALSE(found[0].writable);
}

TEST(CgroupHierarchiesTest, NonsenseIsPassedOver) {
  EXPECT_THAT(
      ParseCgroupHierarchies(
          "\n-\n- - - -\n1 2 3\n1 2 3 4 5 6 - cgroup\nx - cgroup cgroup\n"
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

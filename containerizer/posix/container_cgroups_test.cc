// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Uses this machine's cgroups if they can be written to, and directories that
// look like version 2.

#include "external_containerizer/containerizer/posix/container_cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/cgroup_hierarchies.h"
#include "external_containerizer/containerizer/posix/cgroup_parent_testing.h"
#include "external_containerizer/containerizer/posix/small_files.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kPatience = absl::Seconds(20);

CgroupHierarchy One(const std::string& controller, const std::string& mount) {
  CgroupHierarchy hierarchy;
  hierarchy.controllers = {controller};
  hierarchy.root = "/";
  hierarchy.mount_point = mount;
  hierarchy.own = "/us";
  hierarchy.writable = true;
  return hierarchy;
}

std::string TemporaryDirectory() {
  std::string directory = ::testing::TempDir() + "/cgroups_XXXXXX";
  EXPECT_NE(mkdtemp(directory.data()), nullptr);
  return directory;
}

// Makes a hierarchy of version 2 whose cgroup /us has these files.
CgroupHierarchy Two(const std::string& controllers, const std::string& on) {
  CgroupHierarchy hierarchy;
  hierarchy.unified = true;
  hierarchy.root = "/";
  hierarchy.mount_point = TemporaryDirectory();
  hierarchy.own = "/us";
  hierarchy.writable = true;
  const std::string own = hierarchy.mount_point + "/us";
  EXPECT_EQ(mkdir(own.c_str(), 0755), 0);
  std::ofstream(own + "/cgroup.controllers") << controllers << "\n";
  std::ofstream(own + "/cgroup.subtree_control") << on << "\n";
  return hierarchy;
}

TEST(ContainerCgroupsTest, EachControllerIsTakenWhereItIs) {
  const CgroupPlan plan =
      PlanCgroups({One("memory", "/m"), One("cpu", "/c"), One("cpuacct", "/a"),
                   One("pids", "/p"), One("freezer", "/f")},
                  "", "name", /*want_pids=*/false);
  ASSERT_EQ(plan.cgroups.size(), 4u);
  EXPECT_EQ(plan.cgroups[0].path(), "/m/us/name");
  EXPECT_THAT(plan.cgroups[0].controllers(), ElementsAre("memory"));
  EXPECT_EQ(plan.cgroups[2].path(), "/a/us/name");
  EXPECT_THAT(plan.missing, IsEmpty());
}

TEST(ContainerCgroupsTest, VersionTwoMakesSomeOfVersionOneSuperfluous) {
  const CgroupHierarchy two = Two("hugetlb", "");
  const std::vector<CgroupHierarchy> all = {
      One("memory", "/m"), One("cpuacct", "/a"), One("pids", "/p"), two};
  CgroupPlan plan = PlanCgroups(all, "", "name", /*want_pids=*/false);
  ASSERT_EQ(plan.cgroups.size(), 2u);
  EXPECT_TRUE(plan.cgroups[0].unified());
  EXPECT_THAT(plan.cgroups[0].controllers(), IsEmpty());
  EXPECT_EQ(plan.cgroups[1].path(), "/m/us/name");
  EXPECT_THAT(plan.missing, ElementsAre(Key("cpu")));
  plan = PlanCgroups(all, "", "name", /*want_pids=*/true);
  ASSERT_EQ(plan.cgroups.size(), 3u);
  EXPECT_EQ(plan.cgroups[2].path(), "/p/us/name");
}

TEST(ContainerCgroupsTest, WhatIsMissingIsSaid) {
  EXPECT_THAT(PlanCgroups({}, "", "name", true).missing,
              UnorderedElementsAre(Key("memory"), Key("cpu"), Key("pids")));
  CgroupHierarchy memory = One("memory", "/m");
  memory.writable = false;
  CgroupPlan plan = PlanCgroups({memory}, "", "name", false);
  EXPECT_THAT(plan.cgroups, IsEmpty());
  EXPECT_THAT(plan.missing["memory"], HasSubstr("/m is mounted read-only"));
  memory = One("memory", "/m");
  memory.root = "/ours";
  memory.own = "/ours/us";
  plan = PlanCgroups({memory}, "/theirs", "name", false);
  EXPECT_THAT(plan.missing["memory"], HasSubstr("/theirs"));
  plan = PlanCgroups({memory}, "/ours/other", "name", false);
  EXPECT_EQ(plan.cgroups[0].path(), "/m/other/name");
  plan =
      PlanCgroups({memory}, "/ours/" + std::string(3000, 'x'), "name", false);
  EXPECT_THAT(plan.missing["memory"], HasSubstr("too long"));
  const CgroupHierarchy two = Two("cpu", "");
  plan = PlanCgroups({two}, "", "name", false);
  EXPECT_THAT(plan.missing, ElementsAre(Key("memory")));
  EXPECT_THAT(plan.missing["memory"],
              HasSubstr(two.mount_point + "/us was not given it"));
  plan = PlanCgroups({two}, "/other", "name", false);
  EXPECT_THAT(plan.missing["cpu"],
              AllOf(HasSubstr(two.mount_point + "/other"),
                    HasSubstr("No such file or directory")));
  plan = PlanCgroups({One("memory", "/m"), two}, "", "name", false);
  EXPECT_THAT(plan.missing, IsEmpty());
}

TEST(ContainerCgroupsTest, NamesTellAgentsAndLaunchesApart) {
  const std::string one = NewCgroupName("/agents/one");
  const std::string again = NewCgroupName("/agents/one");
  const std::string other = NewCgroupName("/agents/two");
  const size_t prefix = one.rfind('-');
  EXPECT_TRUE(absl::StartsWith(one, "posix-"));
  EXPECT_NE(one, again);
  EXPECT_EQ(one.substr(0, prefix), again.substr(0, prefix));
  EXPECT_NE(one.substr(0, prefix), other.substr(0, prefix));
}

TEST(ContainerCgroupsTest, WhatCannotBeMadeIsMissing) {
  CgroupPlan plan = PlanCgroups({One("memory", "/not/there")}, "", "name",
                                /*want_pids=*/false);
  ASSERT_EQ(plan.cgroups.size(), 1u);
  MakeCgroups(plan);
  EXPECT_THAT(plan.cgroups, IsEmpty());
  EXPECT_THAT(plan.missing["memory"], HasSubstr("/not/there/us"));
}

TEST(ContainerCgroupsTest, OfVersionTwoControllersAreTurnedOn) {
  const CgroupHierarchy two = Two("cpuset cpu io memory pids", "cpu");
  CgroupPlan plan = PlanCgroups({two}, "", "name", /*want_pids=*/true);
  ASSERT_EQ(plan.cgroups.size(), 1u);
  EXPECT_THAT(plan.cgroups[0].controllers(),
              ElementsAre("memory", "cpu", "pids"));
  // The common ancestor of our cgroup and the new one is writable.
  std::ofstream(two.mount_point + "/us/cgroup.procs") << "";
  MakeCgroups(plan);
  struct stat status;
  EXPECT_EQ(stat((two.mount_point + "/us/name").c_str(), &status), 0);
  // An ordinary file has the last write alone.
  EXPECT_EQ(ReadSmallFile(two.mount_point + "/us/cgroup.subtree_control")
                .value_or("")
                .substr(0, 5),
            "+pids");
}

// Makes `depth` directories below each other, deeper than a path can be.
// Returns the last one.
UniqueFd MakeBelow(const std::string& path, int depth) {
  UniqueFd last(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int i = 0; i < depth; ++i) {
    EXPECT_EQ(mkdirat(last.get(), "deeper", 0755), 0) << i;
    last.Reset(
        openat(last.get(), "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  }
  EXPECT_TRUE(last.valid());
  return last;
}

TEST(ContainerCgroupsTest, ManyAndDeepOnesAreRemoved) {
  ContainerCgroup cgroup;
  cgroup.set_path(TemporaryDirectory());
  MakeBelow(cgroup.path(), 600);
  const std::string wide = cgroup.path() + "/wide";
  ASSERT_EQ(mkdir(wide.c_str(), 0755), 0);
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(mkdir(absl::StrCat(wide, "/", i).c_str(), 0755), 0);
  }
  EXPECT_THAT(RemoveCgroups({cgroup}, kPatience), IsOk());
  struct stat status;
  EXPECT_NE(stat(cgroup.path().c_str(), &status), 0);
}

// Runs `body` in a process of its own. Returns its result, or 77 if the process
// may not have a mount namespace.
int ExitOf(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    _exit(body());
  }
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(ContainerCgroupsTest, WhatNeverWasOnAReadOnlyMountIsRemoved) {
  const std::string directory = TemporaryDirectory();
  ASSERT_EQ(mkdir((directory + "/there").c_str(), 0755), 0);
  const int exit = ExitOf([&directory] {
    if (unshare(CLONE_NEWNS) != 0 ||
        mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount(directory.c_str(), directory.c_str(), nullptr, MS_BIND,
              nullptr) != 0 ||
        mount("none", directory.c_str(), nullptr,
              MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0) {
      return 77;
    }
    ContainerCgroup cgroup;
    cgroup.set_path(directory + "/never");
    if (!RemoveCgroups({cgroup}, absl::ZeroDuration()).ok()) return 1;
    cgroup.set_path(directory + "/there");
    if (RemoveCgroups({cgroup}, absl::ZeroDuration()).ok()) return 2;
    return 0;
  });
  if (exit == 77) GTEST_SKIP() << "may not mount";
  EXPECT_EQ(exit, 0);
}

TEST(ContainerCgroupsTest, NamesAreNewAlsoWhereNothingRandomIsToBeHad) {
  const int exit = ExitOf([] {
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog filter = {};
    filter.len = 4;
    filter.filter = rules;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
      return 77;
    }
    return NewCgroupName("/agent") != NewCgroupName("/agent") ? 0 : 1;
  });
  if (exit == 77) GTEST_SKIP() << "may not filter";
  EXPECT_EQ(exit, 0);
}

// The cgroups of this machine.
class RealCgroupsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    plan_ = PlanCgroups(FindCgroupHierarchies(), TestCgroupParent(),
                        NewCgroupName("test"),
                        /*want_pids=*/true);
    MakeCgroups(plan_);
    if (plan_.cgroups.empty()) {
      std::string why;
      for (const auto& missing : plan_.missing) {
        absl::StrAppend(&why, " ", missing.first, ": ", missing.second, ";");
      }
      GTEST_SKIP() << "no cgroups can be made here:" << why;
    }
  }

  void TearDown() override {
    EXPECT_THAT(KillCgroups(plan_.cgroups, kPatience), IsOk());
    EXPECT_THAT(RemoveCgroups(plan_.cgroups, kPatience), IsOk());
    for (const ContainerCgroup& cgroup : plan_.cgroups) {
      struct stat status;
      EXPECT_NE(stat(cgroup.path().c_str(), &status), 0) << cgroup.path();
    }
  }

  // Starts a child in `cgroups` that sleeps.
  static pid_t Sleeper(const ContainerCgroups& cgroups) {
    const pid_t child = fork();
    if (child == 0) {
      for (const std::string& file : ProcsFiles(cgroups)) {
        if (WriteSmallFile(file, "0") != 0) _exit(1);
      }
      while (true) pause();
    }
    const std::string last = cgroups.back().path() + "/cgroup.procs";
    const absl::Time deadline = absl::Now() + kPatience;
    while (!absl::StrContains(ReadSmallFile(last).value_or(""),
                              absl::StrCat(child))) {
      if (absl::Now() > deadline) {
        ADD_FAILURE() << "it does not join";
        break;
      }
    }
    return child;
  }

  static int Signal(pid_t child) {
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

  CgroupPlan plan_;
};

TEST_F(RealCgroupsTest, AllThatIsInThemIsKilledAndNothingElse) {
  const pid_t outside = fork();
  if (outside == 0) {
    while (true) pause();
  }
  const pid_t one = Sleeper(plan_.cgroups);
  const pid_t two = Sleeper(plan_.cgroups);
  EXPECT_TRUE(KillCgroupsOnce(plan_.cgroups));
  EXPECT_EQ(Signal(one), SIGKILL);
  EXPECT_EQ(Signal(two), SIGKILL);
  EXPECT_FALSE(KillCgroupsOnce(plan_.cgroups));
  EXPECT_EQ(waitpid(outside, nullptr, WNOHANG), 0) << "it was killed";
  kill(outside, SIGKILL);
  EXPECT_EQ(Signal(outside), SIGKILL);
}

TEST_F(RealCgroupsTest, EachVersionKillsByItself) {
  for (const ContainerCgroup& cgroup : plan_.cgroups) {
    const pid_t child = Sleeper({cgroup});
    EXPECT_TRUE(KillCgroupsOnce({cgroup})) << cgroup.path();
    EXPECT_EQ(Signal(child), SIGKILL) << cgroup.path();
  }
}

TEST_F(RealCgroupsTest, CgroupsBelowBelongToIt) {
  for (const ContainerCgroup& cgroup : plan_.cgroups) {
    ContainerCgroup below = cgroup;
    for (const char* name : {"/a", "/b"}) {
      below.mutable_path()->append(name);
      ASSERT_EQ(mkdir(below.path().c_str(), 0755), 0) << below.path();
    }
    const pid_t child = Sleeper({below});
    EXPECT_THAT(RemoveCgroups({cgroup}, absl::ZeroDuration()), Not(IsOk()));
    EXPECT_TRUE(KillCgroupsOnce({cgroup})) << cgroup.path();
    EXPECT_EQ(Signal(child), SIGKILL) << cgroup.path();
  }
}

TEST_F(RealCgroupsTest, HoweverDeepAProcessIsItIsKilled) {
  for (const ContainerCgroup& cgroup : plan_.cgroups) {
    ContainerCgroup below = cgroup;
    const UniqueFd last = MakeBelow(cgroup.path(), 700);
    below.set_path(absl::StrCat("/proc/", getpid(), "/fd/", last.get()));
    const pid_t child = Sleeper({below});
    EXPECT_TRUE(KillCgroupsOnce({cgroup})) << cgroup.path();
    kill(child, SIGTERM);
    EXPECT_EQ(Signal(child), SIGKILL) << cgroup.path();
  }
}

TEST_F(RealCgroupsTest, WhatIsStillInThemKeepsThemAndIsNamed) {
  const ContainerCgroups last = {plan_.cgroups.back()};
  const pid_t child = Sleeper(last);
  EXPECT_THAT(RemoveCgroups(last, absl::Milliseconds(5)),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr(last[0].path())));
  EXPECT_THAT(KillCgroups(last, kPatience), IsOk());
  EXPECT_EQ(Signal(child), SIGKILL);
}

TEST_F(RealCgroupsTest, WhatIsNotThereIsGone) {
  ContainerCgroup none = plan_.cgroups[0];
  none.mutable_path()->append("-none");
  EXPECT_FALSE(KillCgroupsOnce({none}));
  EXPECT_THAT(KillCgroups({none}, absl::ZeroDuration()), IsOk());
  EXPECT_THAT(RemoveCgroups({none}, absl::ZeroDuration()), IsOk());
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

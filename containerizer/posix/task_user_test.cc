// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/task_user.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "external_containerizer/containerizer/posix/small_files.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Ceases to be root, and keeps the capabilities to become another user, as an
// agent may have them. They outlast an exec.
bool BecomeAgentWithCapabilities() {
  constexpr uid_t kAgent = 65534;
  __user_cap_header_struct header = {};
  header.version = _LINUX_CAPABILITY_VERSION_3;
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  const uint32_t given = 1u << CAP_SETUID | 1u << CAP_SETGID;
  sets[0] = {given, given, given};
  return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 &&
         setresuid(kAgent, kAgent, kAgent) == 0 &&
         syscall(SYS_capset, &header, sets) == 0 &&
         prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETUID, 0, 0) == 0 &&
         prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SETGID, 0, 0) == 0;
}

bool HasNone(const std::string& set) {
  const std::string status = ReadSmallFile("/proc/self/status").value_or("");
  return absl::StrContains(status, "\n" + set + ":\t0000000000000000\n");
}

TEST(TaskUserTest, NobodyKnowsThemAndTheyAreNamedEscaped) {
  for (const char* user : {"no-such-user", "", "a:b", "-1", "4294967296",
                           "99999999", "0x0", " 0", "+0", "0 "}) {
    EXPECT_THAT(FindTaskUser(user),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         AllOf(HasSubstr(user), HasSubstr("does not know"))))
        << user;
  }
  EXPECT_THAT(
      FindTaskUser("\x1b[31m"),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("\\x1b")));
  EXPECT_THAT(FindTaskUser(std::string("root\0x", 6)),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(FindTaskUser(std::string(1 << 20, 'x')), testing::Not(IsOk()));
}

TEST(TaskUserTest, OneselfIsNoChange) {
  EXPECT_EQ(FindTaskUser(std::to_string(geteuid())).value(), std::nullopt);
  if (const passwd* self = getpwuid(geteuid())) {
    EXPECT_EQ(FindTaskUser(self->pw_name).value(), std::nullopt);
  }
}

TEST(TaskUserTest, BecomingADaemonTakesAllOfRootsGroups) {
  if (!MayBecomeOthers()) {
    EXPECT_THAT(FindTaskUser(geteuid() == 0 ? "daemon" : "root"),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         HasSubstr("may not become")));
    GTEST_SKIP() << "only root may become another user";
  }
  const std::optional<TaskUser> user = FindTaskUser("daemon").value();
  ASSERT_TRUE(user.has_value());
  EXPECT_EQ(user->name(), "daemon");
  EXPECT_NE(user->uid(), 0u);
  EXPECT_THAT(user->groups(), testing::Contains(user->gid()));
  EXPECT_EQ(FindTaskUser(std::to_string(user->uid())).value()->name(),
            "daemon");
  const pid_t child = fork();
  if (child == 0) {
    if (!BecomeTaskUser(*user)) _exit(1);
    uid_t uids[3];
    gid_t gids[3];
    if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 ||
        getresgid(&gids[0], &gids[1], &gids[2]) != 0) {
      _exit(2);
    }
    for (const uid_t uid : uids) {
      if (uid != user->uid()) _exit(3);
    }
    for (const gid_t gid : gids) {
      if (gid != user->gid()) _exit(4);
    }
    std::vector<gid_t> groups(65536);
    groups.resize(static_cast<size_t>(std::max(
        0, getgroups(static_cast<int>(groups.size()), groups.data()))));
    std::vector<gid_t> wanted(user->groups().begin(), user->groups().end());
    std::sort(groups.begin(), groups.end());
    std::sort(wanted.begin(), wanted.end());
    if (groups != wanted) _exit(5);
    if (setuid(0) == 0 || MayBecomeOthers()) _exit(6);
    // The new user may not become root again.
    const auto root = FindTaskUser("root");
    if (root.status().code() != absl::StatusCode::kFailedPrecondition) _exit(7);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(TaskUserTest, WhatTheKernelTakesForNoChangeIsNoUser) {
  for (const bool is_uid : {true, false}) {
    const pid_t child = fork();
    if (child == 0) {
      TaskUser user;
      user.set_uid(is_uid ? static_cast<uid_t>(-1) : getuid());
      user.set_gid(is_uid ? getgid() : static_cast<gid_t>(-1));
      user.add_groups(0);
      _exit(BecomeTaskUser(user) || errno != EINVAL ? 1 : 0);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0) << is_uid;
  }
}

TEST(TaskUserTest, AnAgentThatIsNotRootLeavesItsTasksNoCapabilities) {
  if (geteuid() != 0 || !MayBecomeOthers()) {
    GTEST_SKIP() << "only root can make such an agent";
  }
  const std::optional<TaskUser> daemon = FindTaskUser("daemon").value();
  ASSERT_TRUE(daemon.has_value());
  TaskUser root;
  root.add_groups(0);
  const pid_t child = fork();
  if (child == 0) {
    if (!BecomeAgentWithCapabilities() || !MayBecomeOthers()) _exit(1);
    const pid_t other = fork();
    if (other == 0) {
      // An exec gives root the other capabilities.
      if (!BecomeTaskUser(root) || getuid() != 0) _exit(2);
      if (!HasNone("CapInh") || !HasNone("CapAmb")) _exit(3);
      _exit(MayBecomeOthers() ? 0 : 4);
    }
    int status = 0;
    if (waitpid(other, &status, 0) != other || status != 0) {
      _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 8);
    }
    if (!BecomeTaskUser(*daemon) || getuid() != daemon->uid()) _exit(5);
    for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) {
      if (!HasNone(set)) _exit(6);
    }
    _exit(setuid(0) == 0 || setgid(0) == 0 ? 7 : 0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

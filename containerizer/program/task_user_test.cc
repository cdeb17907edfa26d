// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/task_user.h"

#include <grp.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(TaskUserTest, NobodyKnowsThemAndTheyAreNamedEscaped) {
  for (const char* user :
       {"no-such-user", "", "a:b", "-1", "4294967296", "99999999", "0x0"}) {
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
  EXPECT_EQ(user->name, "daemon");
  EXPECT_NE(user->uid, 0u);
  EXPECT_THAT(user->groups, testing::Contains(user->gid));
  EXPECT_EQ(FindTaskUser(std::to_string(user->uid)).value()->name, "daemon");
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
      if (uid != user->uid) _exit(3);
    }
    for (const gid_t gid : gids) {
      if (gid != user->gid) _exit(4);
    }
    std::vector<gid_t> groups(65536);
    groups.resize(static_cast<size_t>(std::max(
        0, getgroups(static_cast<int>(groups.size()), groups.data()))));
    std::vector<gid_t> wanted = user->groups;
    std::sort(groups.begin(), groups.end());
    std::sort(wanted.begin(), wanted.end());
    if (groups != wanted) _exit(5);
    if (setuid(0) == 0 || MayBecomeOthers()) _exit(6);
    // And there it ends: this one may not.
    const auto root = FindTaskUser("root");
    if (root.status().code() != absl::StatusCode::kFailedPrecondition) _exit(7);
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/process_identity.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::absl::IsFailedPrecondition;
using ::absl::IsNotFound;

ProcessIdentity Self() {
  const std::optional<ProcessIdentity> self = IdentityOf(getpid());
  EXPECT_TRUE(self.has_value());
  return self.value_or(ProcessIdentity());
}

TEST(ProcessIdentityTest, OurOwnIsComplete) {
  const ProcessIdentity self = Self();
  EXPECT_EQ(self.pid, getpid());
  EXPECT_GT(self.start_ticks, 0u);
  EXPECT_EQ(self.boot_id.size(), 36u);
  EXPECT_GT(self.pid_namespace, 0u);
  EXPECT_TRUE(self == Self());
}

TEST(ProcessIdentityTest, EveryPartBelongsToIt) {
  ProcessIdentity other = Self();
  other.pid += 1;
  EXPECT_FALSE(other == Self());
  other = Self();
  other.start_ticks += 1;
  EXPECT_FALSE(other == Self());
  other = Self();
  other.boot_id[0] ^= 1;
  EXPECT_FALSE(other == Self());
  other = Self();
  other.pid_namespace += 1;
  EXPECT_FALSE(other == Self());
}

TEST(ProcessIdentityTest, ARecordWithoutANamespaceIsOfThisOne) {
  ProcessIdentity old = Self();
  old.pid_namespace = 0;
  EXPECT_TRUE(old == Self());
  EXPECT_TRUE(OpenProcess(old).ok());
}

TEST(ProcessIdentityTest, WithoutABootIdNothingIsKnown) {
  ProcessIdentity unknown = Self();
  unknown.boot_id.clear();
  EXPECT_FALSE(unknown == unknown);
  const absl::Status status = OpenProcess(unknown).status();
  EXPECT_TRUE(IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "boot")) << status;
}

TEST(OpenProcessTest, AProcessIsFoundUntilItIsReaped) {
  const pid_t child = fork();
  if (child == 0) {
    for (;;) pause();
  }
  const std::optional<ProcessIdentity> id = IdentityOf(child);
  ASSERT_TRUE(id.has_value());
  const absl::StatusOr<UniqueFd> pidfd = OpenProcess(*id);
  ASSERT_TRUE(pidfd.ok()) << pidfd.status();
  EXPECT_FALSE(HasEnded(pidfd->get()));
  SendSignal(pidfd->get(), SIGKILL);
  siginfo_t info = {};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT),
            0);
  EXPECT_TRUE(OpenProcess(*id).ok());
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(IsNotFound(OpenProcess(*id).status()));
  EXPECT_FALSE(IdentityOf(child).has_value());
}

TEST(OpenProcessTest, AnotherWithTheSameNumberIsNotIt) {
  ProcessIdentity earlier = Self();
  earlier.start_ticks -= 1;
  EXPECT_TRUE(IsNotFound(OpenProcess(earlier).status()));
}

TEST(OpenProcessTest, AProcessOfAnEarlierBootHasEnded) {
  ProcessIdentity earlier = Self();
  earlier.boot_id = "11111111-2222-3333-4444-555555555555";
  EXPECT_TRUE(IsNotFound(OpenProcess(earlier).status()));
}

TEST(OpenProcessTest, AProcessOfAnotherNamespaceMayRun) {
  ProcessIdentity elsewhere = Self();
  elsewhere.pid_namespace += 1;
  const absl::Status status = OpenProcess(elsewhere).status();
  EXPECT_TRUE(IsFailedPrecondition(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "namespace")) << status;
}

TEST(OpenProcessTest, WithoutDescriptorsNobodyIsSaidToHaveEnded) {
  const ProcessIdentity self = Self();
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const absl::Status status = OpenProcess(self).status();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
}

TEST(OpenProcessTest, NoNumberIsNoProcess) {
  EXPECT_TRUE(IsNotFound(OpenProcess(0, 1).status()));
  EXPECT_TRUE(IsNotFound(OpenProcess(-1, 1).status()));
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Tasks of other users, and posix without root.

#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/posix/posix_testing.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/linux/unique_fd.h"
#include "external_containerizer/transport/record_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

using PosixUserTest = PosixTest;

TEST_F(PosixUserTest, AnotherUserWithItsGroupsAndItsFiles) {
  if (geteuid() != 0) GTEST_SKIP() << "only root may become another user";
  wire::Launch launch =
      LaunchOf("c",
               "id -u; id -g; id -G; echo $HOME $USER; echo 1 > file; "
               "echo 2> /dev/null >> /dev/stdout; exit 3");
  launch.set_user("daemon");
  launch.mutable_executor_info()->mutable_command()->set_user("root");
  const passwd* daemon = getpwnam("daemon");
  ASSERT_NE(daemon, nullptr);
  ASSERT_EQ(chown(sandbox_.c_str(), daemon->pw_uid, daemon->pw_gid), 0);
  const std::string home = daemon->pw_dir;
  const uid_t uid = daemon->pw_uid;
  const gid_t gid = daemon->pw_gid;
  Launch(launch);
  EXPECT_EQ(wire::ExitOf(Wait("c")), Exited(3))
      << ReadFile(sandbox_ + "/stderr");
  EXPECT_THAT(ReadFile(sandbox_ + "/stdout"),
              StartsWith(absl::StrCat(uid, "\n", gid, "\n", gid, "\n", home,
                                      " daemon\n")));
  for (const char* name : {"/stdout", "/stderr", "/file"}) {
    struct stat status;
    ASSERT_EQ(stat((sandbox_ + name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_uid, uid) << name;
  }
}

TEST_F(PosixUserTest, ResourceLimitsAndNoNewPrivileges) {
  flags_ = {"--rlimit=nofile=64:128", "--rlimit=core=0", "--no_new_privileges"};
  Launch(LaunchOf("c",
                  "ulimit -Sn; ulimit -Hn; ulimit -c; "
                  "grep NoNewPrivs /proc/self/status"));
  Wait("c");
  EXPECT_EQ(ReadFile(sandbox_ + "/stdout"), "64\n128\n0\nNoNewPrivs:\t1\n");
}

// Runs posix as the user 65534, who has no rights in base_.
Result AsNobody(const std::vector<std::string>& arguments,
                const std::string& work, const std::string& record) {
  // The kernel executes this descriptor, so it is not close-on-exec.
  const UniqueFd binary(
      open(TestDataPath("containerizer/posix/posix").c_str(), O_RDONLY));
  EXPECT_TRUE(binary.valid());
  const UniqueFd in = FileWith(record);
  const UniqueFd out = FileWith("");
  const UniqueFd err = FileWith("");
  std::vector<std::string> strings = arguments;
  strings.insert(strings.begin(), "posix");
  const Strings argv(std::move(strings));
  const Strings envp(std::map<std::string, std::string>{
      {"MESOS_WORK_DIRECTORY", work}, {"PATH", "/usr/bin:/bin"}});
  const std::string executable = absl::StrCat("/proc/self/fd/", binary.get());
  const pid_t pid = fork();
  if (pid == 0) {
    if (setgid(65534) != 0 || setuid(65534) != 0 || chdir("/") != 0) _exit(99);
    dup2(in.get(), 0);
    dup2(out.get(), 1);
    dup2(err.get(), 2);
    execve(executable.c_str(), argv.get(), envp.get());
    _exit(98);
  }
  Result result;
  EXPECT_EQ(waitpid(pid, &result.status, 0), pid);
  result.output = ReadFile(absl::StrCat("/proc/self/fd/", out.get()));
  result.errors = ReadFile(absl::StrCat("/proc/self/fd/", err.get()));
  return result;
}

TEST_F(PosixUserTest, WithoutRootItRunsWithoutLimits) {
  if (geteuid() != 0) GTEST_SKIP() << "it is not root anyway";
  // Either TempDir() is open to other users, or /tmp is writable.
  std::string work = "/tmp/posix_XXXXXX";
  if (mkdtemp(work.data()) == nullptr) {
    work = ::testing::TempDir() + "/posix_XXXXXX";
    ASSERT_NE(mkdtemp(work.data()), nullptr);
  }
  ASSERT_EQ(chown(work.c_str(), 65534, 65534), 0);
  wire::Launch launch = LaunchOf("c", "id -u; exec sleep 1000", 1, 64);
  launch.set_directory(work);
  auto record = [](const auto& message) {
    return EncodeRecord(message.SerializeAsString());
  };
  const Result launched = AsNobody({"launch"}, work, record(launch));
  EXPECT_EQ(launched.status, 0) << launched.errors;
  EXPECT_TRUE(
      Eventually([&] { return ReadFile(work + "/stdout") == "65534\n"; }));
  const Result used =
      AsNobody({"usage"}, work, record(About<wire::Usage>("c")));
  wire::ResourceStatistics statistics;
  ASSERT_TRUE(statistics.ParseFromString(
      used.output.substr(std::min<size_t>(4, used.output.size()))));
  EXPECT_GE(statistics.processes(), 1u);
  EXPECT_FALSE(statistics.has_mem_limit_bytes());
  EXPECT_FALSE(statistics.has_cpus_limit());
  const Result destroyed =
      AsNobody({"destroy"}, work, record(About<wire::Destroy>("c")));
  EXPECT_EQ(destroyed.status, 0) << destroyed.errors;

  const Result required =
      AsNobody({"--require_limits", "launch"}, work, record(launch));
  EXPECT_EQ(WEXITSTATUS(required.status), 1);
  EXPECT_THAT(required.errors, HasSubstr("cannot be enforced"));
  launch.set_user("root");
  const Result refused = AsNobody({"launch"}, work, record(launch));
  EXPECT_EQ(WEXITSTATUS(refused.status), 1);
  EXPECT_THAT(refused.errors,
              AllOf(HasSubstr("root"), HasSubstr("may not become")));
  const std::string command = "rm -rf " + work;
  EXPECT_EQ(system(command.c_str()), 0);
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

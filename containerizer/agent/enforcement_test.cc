// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Limits and users as a user of the agent sees them, with `posix`. Limits need
// cgroups that can be written to, and users need root.

#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/containerizer/agent/user_paths.h"
#include "external_containerizer/containerizer/posix/cgroup_parent_testing.h"
#include "external_containerizer/containerizer/posix/machine_check.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/linux/random_name.h"
#include "external_containerizer/transport/selected.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

struct Result {
  int status = 0;
  std::string out;
  std::string err;
};

std::string ReadFile(const std::string& path) {
  std::ostringstream contents;
  contents << std::ifstream(path).rdbuf();
  return contents.str();
}

class EnforcementTest : public ::testing::Test {
 protected:
  EnforcementTest() {
    const std::string path = ::testing::TempDir() + "/" + RandomName();
    EXPECT_THAT(MakePath(path), IsOk());
    char real[PATH_MAX];
    EXPECT_NE(realpath(path.c_str(), real), nullptr);
    home_ = real;
    posix_ = TestDataPath("containerizer/posix/posix");
  }

  void SetUp() override {
    if (SelectedTransportName() == "mock") {
      GTEST_SKIP() << "runs real programs, and the mock has none";
    }
  }

  // Returns whether this machine can enforce `subject`; if not, sets `why`.
  static bool Enforced(const std::string& subject, std::string& why) {
    for (const auto& finding : posix::CheckMachine(posix::TestCgroupParent())) {
      if (finding.subject != subject) continue;
      why = finding.text;
      return finding.level == posix::Finding::Level::kOk;
    }
    ADD_FAILURE() << "nobody speaks of " << subject;
    return false;
  }

  Result Agent(const std::vector<std::string>& arguments) {
    std::string command =
        absl::StrCat("exec env -i PATH=/usr/bin:/bin HOME=", ShellWord(home_),
                     " ", ShellWord(TestDataPath("containerizer/agent/agent")));
    for (const std::string& argument : arguments) {
      absl::StrAppend(&command, " ", ShellWord(argument));
      // `posix`, with a cgroup_parent of this test.
      const std::string parent = posix::TestCgroupParent();
      if (argument == "run" && !parent.empty()) {
        absl::StrAppend(&command, " --containerizer_path=",
                        ShellWord(absl::StrCat(ShellWord(posix_),
                                               " --cgroup_parent=", parent)));
      }
    }
    absl::StrAppend(&command, " < /dev/null > ", ShellWord(home_ + "/out"),
                    " 2> ", ShellWord(home_ + "/err"));
    const int status = system(command.c_str());
    Result result;
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result.out = ReadFile(home_ + "/out");
    result.err = ReadFile(home_ + "/err");
    return result;
  }

  std::string home_;
  std::string posix_;
};

TEST_F(EnforcementTest, TheSummaryTellsLimitsAndWhatTheyDid) {
  std::string why;
  if (!Enforced("memory limits", why)) GTEST_SKIP() << why;
  const std::string hog = "head -c 96m /dev/zero | tail > /dev/null";
  Result run = Agent({"run", "--resources=mem:32", "--", "sh", "-c", hog});
  EXPECT_EQ(run.status, 137);
  EXPECT_THAT(run.err, AllOf(HasSubstr("memory limit of 32 MiB reached"),
                             HasSubstr("REASON_CONTAINER_LIMITATION_MEMORY"),
                             HasSubstr("memory 32.0 MiB of 32.0 MiB")));
  run = Agent({"run", "--json", "--resources=mem:32", "--", "sh", "-c", hog});
  EXPECT_THAT(run.out, HasSubstr("\"memory_limit_bytes\":33554432"));
  run = Agent({"run", "--resources=mem:64", "--", "true"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.err,
              AllOf(HasSubstr(" of 64.0 MiB"), Not(HasSubstr("enforced"))));
}

TEST_F(EnforcementTest, TheSummaryTellsThrottling) {
  std::string why;
  if (!Enforced("cpu limits", why)) GTEST_SKIP() << why;
  // The task raises its own weight, so that its share stays above its maximum
  // on a busy machine, too.
  const Result run =
      Agent({"run", "--resources=cpus:0.1", "--", "sh", "-c",
             "for d in $(find /sys/fs/cgroup -path "
             "\"*$(grep -o -m1 '/posix-.*' /proc/self/cgroup)\"); do"
             " [ ! -e $d/cpu.shares ] || echo 262144 > $d/cpu.shares;"
             " [ ! -e $d/cpu.weight ] || echo 10000 > $d/cpu.weight;"
             " done; i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.err,
              AllOf(HasSubstr("throttled for "), Not(HasSubstr("enforced"))));
}

TEST_F(EnforcementTest, ALimitOfCpusIsKnownAlsoOfAShortCommand) {
  std::string why;
  if (!Enforced("cpu limits", why)) GTEST_SKIP() << why;
  const Result run = Agent({"run", "--resources=cpus:0.5", "--", "true"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.err, Not(HasSubstr("enforced")));
}

TEST_F(EnforcementTest, ALimitThatIsNotEnforcedIsSaidToBe) {
  const Result run =
      Agent({"run", "--containerizer_path", ShellWord(posix_) + " --cgroups=no",
             "--resources=mem:64", "--", "true"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.err, HasSubstr("the limit of 64.0 MiB is not known to be "
                                 "enforced; see agent doctor"));
}

TEST_F(EnforcementTest, AnotherUserGetsTheSandbox) {
  std::string why;
  if (!Enforced("users", why)) GTEST_SKIP() << why;
  const Result run = Agent({"run", "--user=daemon", "--", "sh", "-c",
                            "id -un; echo x > mine && stat -c %U . mine stdout;"
                            " echo $HOME"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, StartsWith("daemon\ndaemon\ndaemon\ndaemon\n/"));
  EXPECT_THAT(run.out, Not(HasSubstr(home_)));
}

TEST_F(EnforcementTest, AUserWhomNobodyKnowsIsRefused) {
  const Result run = Agent({"run", "--user=no-such-user", "--", "true"});
  EXPECT_EQ(run.status, 125);
  EXPECT_THAT(run.err,
              AllOf(HasSubstr("no-such-user"), HasSubstr("does not know")));
}

TEST_F(EnforcementTest, AUserWhomItMayNotBecomeIsRefusedAndTheDoctorSaysSo) {
  // The agent below may become no other user, whichever user runs this test.
  const std::string other = geteuid() == 0 ? "daemon" : "root";
  auto as_one_who_may_not = [&](const std::vector<std::string>& arguments) {
    const pid_t child = fork();
    if (child == 0) {
      for (const int capability : {CAP_SETUID, CAP_SETGID}) {
        prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
      }
      _exit(Agent(arguments).status);
    }
    Result result;
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result.out = ReadFile(home_ + "/out");
    result.err = ReadFile(home_ + "/err");
    return result;
  };
  const Result run =
      as_one_who_may_not({"run", "--user=" + other, "--", "true"});
  EXPECT_EQ(run.status, 125);
  EXPECT_THAT(run.err, AllOf(HasSubstr(other),
                             HasSubstr("may not become another user")));
  const Result doctor = as_one_who_may_not({"doctor"});
  EXPECT_EQ(doctor.status, 0) << doctor.out;
  EXPECT_THAT(doctor.out,
              HasSubstr("warn  users: tasks run as this user only"));
}

TEST_F(EnforcementTest, TheDoctorSaysWhyALimitIsNotEnforced) {
  std::string why;
  if (!Enforced("memory limits", why)) GTEST_SKIP() << why;
  const Result doctor = Agent({"doctor", "--cgroup_parent=/not/there"});
  EXPECT_EQ(doctor.status, 0) << "run would work, without limits";
  for (const char* limit :
       {"memory limits: mem", "cpu limits: cpus", "process limits: "}) {
    EXPECT_THAT(doctor.out, ContainsRegex(absl::StrCat(
                                "warn  ", limit,
                                "[^\n]*is not enforced: [^\n]*/not/there[^\n]*"
                                "No such file")));
  }
}

TEST_F(EnforcementTest, TheDoctorSaysThatItWorksAndLeavesNothing) {
  const Result doctor = Agent({"doctor"});
  EXPECT_EQ(doctor.status, 0) << doctor.out << doctor.err;
  EXPECT_THAT(doctor.err, IsEmpty());
  for (const char* subject : {"work directory: ", "program: ", "processes: ",
                              "memory limits: ", "cpu limits: ", "users: "}) {
    EXPECT_THAT(doctor.out, HasSubstr(subject));
  }
  EXPECT_THAT(doctor.out, Not(HasSubstr("fail")));
  EXPECT_NE(access((home_ + "/.local/state").c_str(), F_OK), -1);
  const std::string left =
      "test -z \"$(ls " +
      ShellWord(home_ + "/.local/state/external_containerizer/run") + ")\"";
  EXPECT_EQ(system(left.c_str()), 0);
}

TEST_F(EnforcementTest, TheDoctorClaimsNothingOfAnotherProgram) {
  const Result doctor =
      Agent({"doctor", "--containerizer_path", "exec_helper /bin/false"});
  EXPECT_THAT(doctor.out,
              AllOf(ContainsRegex("warn  enforcement: only [^\n]*exec_helper "
                                  "/bin/false itself"),
                    Not(HasSubstr("limits: "))));
  const Result posix =
      Agent({"doctor", "--containerizer_path",
             ShellWord(posix_) + " --cgroup_parent=/not/there"});
  EXPECT_THAT(posix.out, HasSubstr("/not/there"));
}

TEST_F(EnforcementTest, TheDoctorFailsWhereRunWould) {
  Result doctor = Agent({"doctor", "--containerizer_path=/bin/false"});
  EXPECT_EQ(doctor.status, 1);
  EXPECT_THAT(doctor.out, HasSubstr("fail  program: "));
  doctor = Agent({"doctor", "--containerizer_path=/not/there"});
  EXPECT_EQ(doctor.status, 1);
  EXPECT_THAT(doctor.out, HasSubstr("/not/there"));
  doctor = Agent({"doctor", "--json", "--work_dir=/proc/none"});
  EXPECT_EQ(doctor.status, 1);
  EXPECT_THAT(doctor.out, AllOf(HasSubstr("\"level\":\"fail\""),
                                HasSubstr("{\"type\":\"end\",\"status\":1}")));
  EXPECT_EQ(Agent({"doctor", "what"}).status, 125);
  EXPECT_EQ(Agent({"doctor", "--help"}).status, 0);
}

}  // namespace
}  // namespace external_containerizer

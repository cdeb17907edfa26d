// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What posix enforces where cgroups are laid out in another way than on the
// machine that the tests run on, which can have but one: a controller that is
// in use by version 1 is not there for version 2. So this starts another
// machine: a kernel that is a process (user-mode Linux, a package of Debian),
// with this machine's files, read-only. It needs no privileges. Tests that run
// here with what is here also run in it.

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <ostream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/testing/packages.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/transport/selected.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

constexpr char kKernel[] = "/usr/bin/linux.uml";

// Seconds. Some tens are usual; a machine that hangs is turned off.
constexpr int kLimit = 600;

struct Case {
  const char* name;
  const char* layout;  // see guest_init.sh
  const char* test;
  const char* filter;  // of its cases
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.name; }

class CgroupLayoutsTest : public ::testing::Test {
 protected:
  // What the machine prints from its start to its end.
  static std::string RunInGuest(const Case& test) {
    const std::string init =
        absl::StrCat(::testing::TempDir(), "/", test.name, ".init");
    std::ofstream(init) << "#!/bin/sh\n"
                        << "export TEST_SRCDIR='" << getenv("TEST_SRCDIR")
                        << "' TEST_WORKSPACE='" << getenv("TEST_WORKSPACE")
                        << "'\ncd '" << Directory() << "'\nexec '"
                        << TestDataPath("testing/cgroup_layouts/guest_init.sh")
                        << "' " << test.layout << " '"
                        << TestDataPath(test.test)
                        << "' '--gtest_filter=" << test.filter << "'\n";
    chmod(init.c_str(), 0755);
    const std::string command =
        absl::StrCat("exec timeout --kill-after=10 ", kLimit, " ", kKernel,
                     " mem=768M rootfstype=hostfs rootflags=/ ro init='", init,
                     "' uml_dir='", ::testing::TempDir(),
                     "' con=null con0=null,fd:1 quiet < /dev/null 2>&1");
    std::string printed;
    FILE* const machine = popen(command.c_str(), "re");
    if (machine == nullptr) return printed;
    char line[4096];
    while (fgets(line, sizeof(line), machine) != nullptr) {
      fputs(line, stdout);
      printed += line;
    }
    pclose(machine);
    return printed;
  }

  // Where processes may not trace each other it does not.
  static bool Started(const std::string& printed) {
    return absl::StrContains(printed, "guest: started");
  }

  static std::string Directory() {
    char directory[PATH_MAX];
    return getcwd(directory, sizeof(directory)) == nullptr ? "/" : directory;
  }

  void SetUp() override {
    const std::string why = MissingPackage(kKernel, "user-mode-linux");
    if (!why.empty()) GTEST_SKIP() << why;
  }
};

// Tests of the project, in the machine.
class SuiteTest : public CgroupLayoutsTest,
                  public ::testing::WithParamInterface<Case> {};

TEST_P(SuiteTest, Passes) {
  if (absl::StrContains(GetParam().test, "/agent/") &&
      SelectedTransportName() == "mock") {
    GTEST_SKIP() << "runs real programs, and the mock has none";
  }
  const std::string printed = RunInGuest(GetParam());
  if (!Started(printed)) GTEST_SKIP() << "such a kernel does not start here";
  // All of it is in the log.
  EXPECT_TRUE(absl::StrContains(printed, "guest: exit status 0"));
  EXPECT_TRUE(absl::StrContains(printed, "  PASSED  "));
  EXPECT_FALSE(absl::StrContains(printed, "  SKIPPED "))
      << "for lack of what this is all about";
}

// Version 2 has no processes beside cgroups with controllers, but at the root.
TEST_F(CgroupLayoutsTest, WhereProcessesAreTheReasonIsThatThereAreProcesses) {
  const std::string printed =
      RunInGuest({"Occupied", "occupied",
                  "containerizer/posix/posix_limits_test", "*AMemoryHog*"});
  if (!Started(printed)) GTEST_SKIP() << "such a kernel does not start here";
  EXPECT_TRUE(absl::StrContains(printed, "no limits can be enforced here"));
  EXPECT_TRUE(absl::StrContains(printed, "has processes of its own"));
}

INSTANTIATE_TEST_SUITE_P(
    , SuiteTest,
    ::testing::Values(Case{"LimitsOfVersion2", "unified",
                           "containerizer/posix/posix_limits_test", "*"},
                      Case{"LimitsOfVersion2Delegated", "delegated",
                           "containerizer/posix/posix_limits_test",
                           "*Memory*:*Cpu*:*Update*:*Cgroups*:*Destroy*"},
                      Case{"UsageOfVersion2", "unified",
                           "containerizer/posix/container_usage_test", "*"},
                      Case{"UsersWithVersion2", "unified",
                           "containerizer/posix/posix_user_test", "*"},
                      Case{"TheAgentWithVersion2", "unified",
                           "containerizer/agent/enforcement_test", "*"},
                      Case{"LimitsOfVersion1Combined", "legacy",
                           "containerizer/posix/posix_limits_test",
                           "*Memory*:*Cpu*:*Update*:*Usage*"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/machine_check.h"

#include <unistd.h>

#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::map<std::string, Finding> Check(const std::string& cgroup_parent) {
  std::map<std::string, Finding> findings;
  for (const Finding& finding : CheckMachine(cgroup_parent)) {
    EXPECT_THAT(finding.text, Not(IsEmpty())) << finding.subject;
    findings[finding.subject] = finding;
  }
  return findings;
}

TEST(MachineCheckTest, EverySubjectIsSpokenOf) {
  const auto findings = Check("");
  for (const char* subject :
       {"processes", "memory limits", "cpu limits", "process limits",
        "ending all", "users", "descriptors"}) {
    EXPECT_EQ(findings.count(subject), 1u) << subject;
  }
  EXPECT_EQ(findings.at("processes").level, Finding::Level::kOk);
}

TEST(MachineCheckTest, ACgroupThatIsNotThereIsNamed) {
  const auto findings = Check("/not/there");
  for (const char* subject :
       {"memory limits", "cpu limits", "process limits", "ending all"}) {
    EXPECT_EQ(findings.at(subject).level, Finding::Level::kWarn) << subject;
    EXPECT_THAT(findings.at(subject).advice, HasSubstr("--cgroup_parent"));
  }
}

TEST(MachineCheckTest, ALineIsOneLine) {
  EXPECT_EQ(FindingLine({Finding::Level::kWarn, "memory", "none\n\x1b", "buy"}),
            "warn  memory: none\\n\\x1b (buy)");
  EXPECT_EQ(FindingLine({Finding::Level::kOk, "users", "all", ""}),
            "ok    users: all");
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

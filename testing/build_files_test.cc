// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Rules for the source tree as a whole that no compiler knows: see
// build_files.py, which reads the tree itself and not what Bazel copies of it.

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <string>

#include "external_containerizer/testing/packages.h"
#include "external_containerizer/testing/test_data.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace {

void ExpectNothingIn(const std::string& check) {
  const std::string why = MissingPackage("/usr/bin/python3", "python3");
  if (!why.empty()) GTEST_SKIP() << why;
  char script[PATH_MAX];
  ASSERT_NE(realpath(TestDataPath("testing/build_files.py").c_str(), script),
            nullptr);
  const std::string command = std::string("/usr/bin/python3 '") + script +
                              "' \"$(dirname '" + script + "')/..\" " + check +
                              " 2>&1";
  FILE* const pipe = popen(command.c_str(), "re");
  ASSERT_NE(pipe, nullptr);
  std::string findings;
  char buffer[4096];
  while (const size_t got = fread(buffer, 1, sizeof(buffer), pipe)) {
    findings.append(buffer, got);
  }
  EXPECT_EQ(pclose(pipe), 0);
  EXPECT_EQ(findings, "");
}

TEST(BuildFilesTest, PublicLabelsAreThoseOfTheList) {
  ExpectNothingIn("labels");
}

TEST(BuildFilesTest, NoRoomLooksUpOrAtTheInternalsOfAnother) {
  ExpectNothingIn("rooms");
}

TEST(BuildFilesTest, TestSupportIsCalledSo) { ExpectNothingIn("support"); }

TEST(BuildFilesTest, EachDefectOfTheOriginalHasATest) {
  ExpectNothingIn("ledger");
}

TEST(BuildFilesTest, DependenciesAreWhatIsIncluded) {
  ExpectNothingIn("dependencies");
}

}  // namespace
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The benchmarks run, in sizes that take no time. The test checks no speed.

#include <stdio.h>
#include <sys/wait.h>

#include <string>

#include "absl/status/status.h"
#include "external_containerizer/testing/test_data.h"
#include "external_containerizer/testing/ttrpc/go_peer.h"
#include "gtest/gtest.h"
#include "re2/re2.h"

namespace external_containerizer {
namespace {

// The output of a benchmark, which must exit with 0.
std::string OutputOf(const std::string& benchmark,
                     const std::string& arguments) {
  const std::string command =
      "'" + TestDataPath("testing/benchmarks/" + benchmark) + "' " + arguments;
  FILE* pipe = popen(command.c_str(), "r");
  EXPECT_NE(pipe, nullptr);
  if (pipe == nullptr) return "";
  std::string out;
  char buffer[4096];
  while (const size_t got = fread(buffer, 1, sizeof(buffer), pipe)) {
    out.append(buffer, got);
  }
  const int status = pclose(pipe);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << out;
  return out;
}

TEST(BenchmarksTest, RecoveryEndsWithItsRatios) {
  const std::string out = OutputOf("recovery", "20 50 2");
  EXPECT_TRUE(
      RE2::PartialMatch(out, "\nRATIOS read10k=[0-9.]+ growth=[0-9.]+\n$"))
      << out;
  EXPECT_TRUE(RE2::PartialMatch(out, "  launch, any other +1 +1 +3 +3\n"))
      << out;
}

TEST(BenchmarksTest, PartsAreMeasured) {
  const std::string out = OutputOf("parts", "--benchmark_min_time=0.001");
  EXPECT_TRUE(RE2::PartialMatch(out, "BM_UsageInLifecycle/10000 +[0-9]+ ns"))
      << out;
  EXPECT_FALSE(RE2::PartialMatch(out, "ERROR")) << out;
}

TEST(BenchmarksTest, UnixSocketEndsWithItsRatios) {
  const absl::Status packages = HasGoPackages();
  if (!packages.ok()) GTEST_SKIP() << packages.message();
  const std::string sources = TestDataPath("testing/ttrpc/peer.go");
  const std::string out =
      OutputOf("unix_socket",
               "2 100 50 '" + sources.substr(0, sources.rfind('/')) + "'");
  EXPECT_TRUE(RE2::PartialMatch(out,
                                "\nRATIOS vs_go_1=[0-9.]+ vs_bare_1=[0-9.]+ "
                                "vs_go_64=[0-9.]+ cpu_vs_go=[0-9.]+ "
                                "vs_fork_exec=[0-9.]+\n$"))
      << out;
}

}  // namespace
}  // namespace external_containerizer

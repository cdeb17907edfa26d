// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// No loop of posix may wait by the wall clock. Somebody may set that clock, and
// a loop would then spin, or give up on a container at once.

#include <dirent.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/testing/test_data.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using ::testing::ElementsAre;

// Returns "file: line" for each line that reads the wall clock.
std::vector<std::string> ReadersOfTheWallClock(const std::string& directory,
                                               size_t& files) {
  std::vector<std::string> found;
  DIR* const dir = opendir(directory.c_str());
  if (dir == nullptr) return found;
  while (const dirent* entry = readdir(dir)) {
    const std::string name = entry->d_name;
    if ((!absl::EndsWith(name, ".cc") && !absl::EndsWith(name, ".h")) ||
        absl::EndsWith(name, "_test.cc")) {
      continue;
    }
    ++files;
    std::ifstream file(directory + "/" + name);
    for (std::string line; std::getline(file, line);) {
      for (const char* reader :
           {"absl::Now(", "GetCurrentTimeNanos", "CLOCK_REALTIME",
            "system_clock", "gettimeofday", "timespec_get", " time("}) {
        if (absl::StrContains(line, reader)) {
          found.push_back(absl::StrCat(name, ": ", line));
        }
      }
    }
  }
  closedir(dir);
  return found;
}

TEST(WallClockTest, OnlyTheTimestampOfAUsageIsTakenFromIt) {
  const std::string supervisor =
      TestDataPath("containerizer/posix/supervisor.cc");
  size_t files = 0;
  EXPECT_THAT(
      ReadersOfTheWallClock(supervisor.substr(0, supervisor.rfind('/')), files),
      ElementsAre("container_usage.cc:       "
                  "absl::ToDoubleSeconds(absl::Now() - absl::UnixEpoch()));"));
  EXPECT_GE(files, 50u) << "not all sources are there";
}

}  // namespace
}  // namespace posix_internal
}  // namespace external_containerizer

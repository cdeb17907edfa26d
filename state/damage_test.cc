// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Every kind of damage to every file. The reader never crashes, hangs or loses
// anything silently, and it loses nothing but the damaged part.

#include <linux/capability.h>
#include <malloc.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/state/paths.h"
#include "external_containerizer/state/reader.h"
#include "external_containerizer/state/sample_tree_testing.h"
#include "external_containerizer/state/tree_testing.h"
#include "external_containerizer/testing/status_matchers.h"
#include "external_containerizer/transport/record_io.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

using ::testing::HasSubstr;

constexpr char kRuns[] = "meta/slaves/S0/frameworks/F0/executors/e1/runs";

absl::StatusOr<AgentState> Read(const std::string& work_dir, bool strict) {
  ReadOptions options;
  options.strict = strict;
  options.boot_id = kSampleBoot;
  return ReadAgentState(work_dir, options);
}

size_t RunCount(const AgentState& state) {
  size_t count = 0;
  if (!state.slave) return 0;
  for (const auto& framework : state.slave->frameworks) {
    for (const auto& executor : framework.executors) {
      count += executor.runs.size();
    }
  }
  return count;
}

bool IsText(const std::string& path) {
  return absl::EndsWith(path, ".pid") || absl::EndsWith(path, kBootIdFile);
}

bool IsMarker(const std::string& path) {
  return absl::EndsWith(path, kSentinelFile) ||
         absl::EndsWith(path, kHttpMarkerFile);
}

bool Has(const AgentState& state, const std::string& path) {
  const auto is_it = [&](const auto& entry) { return entry.path == path; };
  return std::any_of(state.problems.begin(), state.problems.end(), is_it) ||
         std::any_of(state.truncations.begin(), state.truncations.end(), is_it);
}

class DamageTest : public ::testing::Test {
 protected:
  DamageTest() : image_(SampleImage()), work_(FastTemporaryPlace()) {
    Materialize(image_, work_.path());
    for (const auto& [path, what] : image_) {
      if (what[0] == 'f') files_.push_back(path);
      if (what[0] == 'd') directories_.push_back(path);
    }
  }

  std::string Contents(const std::string& path) {
    return image_.at(path).substr(1);
  }

  // Reads strictly and not strictly, with something wrong at `path`.
  void Check(const std::string& path, const std::string& work_dir,
             bool is_detectable = true) {
    const auto lax = Read(work_dir, false);
    ASSERT_THAT(lax, IsOk()) << path;
    EXPECT_EQ(RunCount(*lax), size_t{kSampleRuns}) << path;
    EXPECT_TRUE(!is_detectable || Has(*lax, path)) << path;
    const auto strict = Read(work_dir, true);
    const bool damaged = std::any_of(
        lax->problems.begin(), lax->problems.end(),
        [](const Problem& p) { return p.kind == Problem::Kind::kDamage; });
    EXPECT_EQ(strict.ok(), !damaged) << path;
    if (!strict.ok()) {
      EXPECT_THAT(strict,
                  StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path)));
    }
  }

  const Image image_;
  TemporaryDirectory work_;
  std::vector<std::string> files_;
  std::vector<std::string> directories_;
};

TEST_F(DamageTest, TheSampleIsWholeAndHasEveryKindOfFile) {
  const auto state = Read(work_.path(), true);
  ASSERT_THAT(state, IsOk());
  EXPECT_TRUE(state->problems.empty());
  EXPECT_EQ(RunCount(*state), size_t{kSampleRuns});
  EXPECT_EQ(files_.size(), 17u);
}

TEST_F(DamageTest, EachFileCutAtEachByte) {
  for (const std::string& path : files_) {
    const std::string whole = Contents(path);
    for (size_t size = 0; size < whole.size(); ++size) {
      SCOPED_TRACE(size);
      WriteFile(work_ / path, whole.substr(0, size));
      // A shorter number is a number; a sequence may end after each record.
      const bool is_text = IsText(path);
      const bool is_sequence = absl::EndsWith(path, kTaskUpdatesFile) ||
                               absl::EndsWith(path, kResourcesInfoFile);
      Check(path, work_.path(), !is_text && !is_sequence);
    }
    WriteFile(work_ / path, whole);
  }
  EXPECT_THAT(Read(work_.path(), true), IsOk());
}

TEST_F(DamageTest, ALengthThatIsLargerThanTheFile) {
  for (const std::string& path : files_) {
    const std::string whole = Contents(path);
    if (IsText(path) || IsMarker(path)) continue;
    for (const uint32_t more : {1u, 1000u, 70u << 20, 0xffffff00u}) {
      std::string bytes = whole;
      uint32_t length = static_cast<uint32_t>(bytes.size() - 4) + more;
      for (size_t i = 0; i < 4; ++i, length >>= 8) {
        bytes[i] = static_cast<char>(length & 0xff);
      }
      WriteFile(work_ / path, bytes);
      const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
      Check(path, work_.path());
      const size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
      EXPECT_LT(after, before + (1 << 20));
    }
    WriteFile(work_ / path, whole);
  }
}

TEST_F(DamageTest, UnknownFieldsAreKeptAndNoDamage) {
  std::string unknown = "\xc2\x3e\x03new";  // Field 1000, three bytes.
  for (const std::string& path : files_) {
    const std::string whole = Contents(path);
    if (IsText(path) || IsMarker(path)) continue;
    if (absl::EndsWith(path, kTaskUpdatesFile) ||
        absl::EndsWith(path, kResourcesInfoFile)) {
      continue;
    }
    WriteFile(work_ / path, EncodeRecord(whole.substr(4) + unknown));
  }
  const auto state = Read(work_.path(), true);
  ASSERT_THAT(state, IsOk());
  EXPECT_TRUE(state->problems.empty());
  EXPECT_THAT(state->slave->info->SerializeAsString(), HasSubstr(unknown));
  EXPECT_THAT(
      state->slave->frameworks[0].executors[0].info->SerializeAsString(),
      HasSubstr(unknown));
}

TEST_F(DamageTest, RandomBytes) {
  std::minstd_rand random(1);
  for (const std::string& path : files_) {
    for (int i = 0; i < 40; ++i) {
      std::string bytes(random() % 300, 0);
      for (char& byte : bytes) byte = static_cast<char>(random());
      if (i % 2 == 0) bytes = EncodeRecord(bytes);
      WriteFile(work_ / path, bytes);
      Check(path, work_.path(), false);
    }
    WriteFile(work_ / path, Contents(path));
  }
}

TEST_F(DamageTest, EachFileOfAnotherType) {
  for (const std::string& path : files_) {
    for (const char* what : {"d", "p", "l/etc/passwd", "lslave.info", "l."}) {
      SCOPED_TRACE(what);
      Image image = image_;
      image[path] = what;
      TemporaryDirectory work(FastTemporaryPlace());
      Materialize(image, work.path());
      // A marker counts if it exists, whatever it is.
      Check(path, work.path(), !IsMarker(path));
    }
  }
}

TEST_F(DamageTest, EachDirectoryOfAnotherType) {
  for (const std::string& path : directories_) {
    if (path == "meta") continue;
    for (const char* what : {"fx", "p", "l/etc", "l."}) {
      SCOPED_TRACE(path);
      Image image = image_;
      image[path] = what;
      TemporaryDirectory work(FastTemporaryPlace());
      Materialize(image, work.path());
      const auto lax = Read(work.path(), false);
      ASSERT_THAT(lax, IsOk());
      const auto is_at_or_below = [&](const Problem& problem) {
        return problem.path == path ||
               absl::StartsWith(problem.path, path + "/") ||
               absl::EndsWith(problem.path, "/latest");
      };
      EXPECT_TRUE(std::any_of(lax->problems.begin(), lax->problems.end(),
                              is_at_or_below));
      (void)Read(work.path(), true);
    }
  }
}

// Root can read everything, unless it gives up this capability.
void GiveUpReadingEverything() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  syscall(SYS_capset, &header, data);
}

TEST_F(DamageTest, EachFileUnreadable) {
  std::thread([&] {
    GiveUpReadingEverything();
    for (const std::string& path : files_) {
      if (IsMarker(path)) continue;
      ASSERT_EQ(chmod((work_ / path).c_str(), 0), 0);
      Check(path, work_.path());
      ASSERT_EQ(chmod((work_ / path).c_str(), 0600), 0);
    }
    ASSERT_EQ(chmod((work_ / kRuns).c_str(), 0), 0);
    const auto lax = Read(work_.path(), false);
    ASSERT_THAT(lax, IsOk());
    EXPECT_TRUE(Has(*lax, kRuns));
    EXPECT_EQ(RunCount(*lax), 1u);
    EXPECT_THAT(Read(work_.path(), true),
                StatusIs(absl::StatusCode::kDataLoss));
    ASSERT_EQ(chmod((work_ / kRuns).c_str(), 0700), 0);
  }).join();
}

TEST_F(DamageTest, AHundredThousandRunsAreReadInBoundedMemory) {
  constexpr size_t kMany = 100'000;
  const std::string runs = work_ / kRuns;
  for (size_t i = 0; i < kMany; ++i) {
    ASSERT_EQ(mkdir(absl::StrCat(runs, "/", i).c_str(), 0700), 0);
  }
  const size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  const auto state = Read(work_.path(), true);
  const size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(RunCount(*state), kSampleRuns + kMany);
  EXPECT_LT((after - before) / kMany, 1024u);
}

TEST_F(DamageTest, AHundredThousandStraysAreListedUpToABound) {
  constexpr size_t kMany = 100'000;
  const std::string tasks = work_ / absl::StrCat(kRuns, "/c2/tasks");
  for (size_t i = 0; i < kMany; ++i) {
    ASSERT_EQ(mknod(absl::StrCat(tasks, "/", i).c_str(), S_IFREG | 0600, 0), 0);
  }
  ReadOptions options;
  options.max_problems = 10;
  const auto state = ReadAgentState(work_.path(), options);
  ASSERT_THAT(state, IsOk());
  EXPECT_EQ(state->problems.size(), 10u);
  EXPECT_EQ(state->further_problems, kMany - 10);
  EXPECT_EQ(RunCount(*state), size_t{kSampleRuns});
}

TEST_F(DamageTest, AMessageThatIsMadeToBeLargeInMemoryIsNotMuchSo) {
  std::string empty_messages;
  for (int i = 0; i < (1 << 17); ++i) {
    empty_messages.append("\x3a\x00", 2);  // ContainerInfo.network_infos.
  }
  wire::ContainerInfo container;
  ASSERT_TRUE(container.ParseFromString(empty_messages));
  EXPECT_EQ(container.network_infos_size(), 1 << 17);
  EXPECT_LT(container.SpaceUsedLong(), 100 * empty_messages.size());
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer

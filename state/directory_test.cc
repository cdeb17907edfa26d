// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/directory.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/testing/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::Optional;

constexpr auto kDataLoss = absl::StatusCode::kDataLoss;

class DirectoryTest : public ::testing::Test {
 protected:
  DirectoryTest() {
    std::string pattern = ::testing::TempDir() + "/directoryXXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~DirectoryTest() override { std::filesystem::remove_all(path_); }

  Directory Root() { return std::move(*Directory::OpenRoot(path_)); }

  void Write(const std::string& name, const std::string& contents) {
    std::ofstream(absl::StrCat(path_, "/", name)) << contents;
  }

  absl::StatusOr<std::optional<absl::string_view>> Read(const std::string& name,
                                                        size_t max = 1000) {
    return Root().Read(name, max, buffer_);
  }

  std::string path_;
  std::string buffer_;
};

TEST_F(DirectoryTest, AFileIsReadAsItIs) {
  const std::string bytes("a\0b\n", 4);
  Write("f", bytes);
  EXPECT_THAT(Read("f"), IsOkAndHolds(Optional(Eq(bytes))));
  Write("empty", "");
  EXPECT_THAT(Read("empty"), IsOkAndHolds(Optional(Eq(""))));
}

TEST_F(DirectoryTest, WhatIsNotThereIsNoError) {
  EXPECT_THAT(Read("f"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_THAT(Read("d/f"), IsOkAndHolds(Eq(std::nullopt)));
  const auto directory = Root().Open("d");
  ASSERT_THAT(directory, IsOk());
  EXPECT_FALSE(directory->has_value());
  EXPECT_THAT(Root().ReadLink("l"), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(DirectoryTest, ALargerFileThanAllowedIsNotRead) {
  Write("f", std::string(1000, 'x'));
  EXPECT_THAT(Read("f", 1000), IsOk());
  EXPECT_THAT(Read("f", 999), StatusIs(kDataLoss, HasSubstr("1000 bytes")));
  ASSERT_EQ(truncate((path_ + "/f").c_str(), int64_t{1} << 40), 0);
  EXPECT_THAT(Read("f"), StatusIs(kDataLoss));
  EXPECT_LT(buffer_.size(), 10000u);
}

TEST_F(DirectoryTest, NoLinkIsFollowed) {
  Write("f", "secret");
  ASSERT_EQ(mkdir((path_ + "/d").c_str(), 0700), 0);
  Write("d/f", "secret");
  ASSERT_EQ(symlink("f", (path_ + "/to_file").c_str()), 0);
  ASSERT_EQ(symlink("d", (path_ + "/to_dir").c_str()), 0);
  ASSERT_EQ(symlink("/etc", (path_ + "/out").c_str()), 0);
  const auto link = StatusIs(kDataLoss, HasSubstr("symbolic link"));
  EXPECT_THAT(Read("to_file"), link);
  EXPECT_THAT(Read("to_dir/f"), link);
  EXPECT_THAT(Read("out/passwd"), link);
  EXPECT_THAT(Root().Open("to_dir/x").status(), link);
  EXPECT_THAT(Root().Open("to_dir").status(), link);
  EXPECT_FALSE(Read("../etc").ok());
  EXPECT_FALSE(Read("/etc/passwd").ok());
}

TEST_F(DirectoryTest, WhatIsNoFileIsRefusedAtOnce) {
  ASSERT_EQ(mkdir((path_ + "/d").c_str(), 0700), 0);
  ASSERT_EQ(mkfifo((path_ + "/fifo").c_str(), 0600), 0);
  EXPECT_THAT(Read("d"), StatusIs(kDataLoss, HasSubstr("directory")));
  EXPECT_THAT(Read("fifo"), StatusIs(kDataLoss, HasSubstr("FIFO")));

  ASSERT_EQ(mknod((path_ + "/s").c_str(), S_IFSOCK | 0600, 0), 0);
  EXPECT_THAT(Read("s"), StatusIs(kDataLoss, HasSubstr("socket")));
  EXPECT_THAT(Directory::OpenRoot("/dev")->Read("null", 10, buffer_),
              StatusIs(kDataLoss, HasSubstr("device")));
}

TEST_F(DirectoryTest, AListIsSortedAndHasHiddenNamesAndTypes) {
  Write("b", "");
  Write(".a", "");
  ASSERT_EQ(mkdir((path_ + "/[c]*").c_str(), 0700), 0);
  ASSERT_EQ(symlink("nowhere", (path_ + "/l").c_str()), 0);
  ASSERT_EQ(mkfifo((path_ + "/p").c_str(), 0600), 0);
  const auto list = Root().List(5);
  ASSERT_THAT(list, IsOk());
  std::vector<std::pair<std::string, Directory::Type>> entries;
  for (const auto& entry : *list) entries.emplace_back(entry.name, entry.type);
  EXPECT_THAT(entries,
              ElementsAre(std::pair(".a", Directory::Type::kFile),
                          std::pair("[c]*", Directory::Type::kDirectory),
                          std::pair("b", Directory::Type::kFile),
                          std::pair("l", Directory::Type::kLink),
                          std::pair("p", Directory::Type::kOther)));
  EXPECT_THAT(Root().List(4), StatusIs(kDataLoss, HasSubstr("more than 4")));
}

TEST_F(DirectoryTest, ALinkIsReadWithoutFollowingIt) {
  ASSERT_EQ(symlink("/nowhere/at/all", (path_ + "/l").c_str()), 0);
  EXPECT_THAT(Root().ReadLink("l"),
              IsOkAndHolds(Optional(Eq("/nowhere/at/all"))));
  Write("f", "");
  EXPECT_THAT(Root().ReadLink("f"), StatusIs(kDataLoss));
}

TEST_F(DirectoryTest, AMissingRootIsNotFound) {
  EXPECT_THAT(Directory::OpenRoot(path_ + "/none").status(),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(DirectoryTest, NoMoreDescriptorsIsNotTheFilesFault) {
  Write("f", "x");
  const Directory root = Root();
  rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none = {0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const auto result = root.Read("f", 10, buffer_);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace state
}  // namespace external_containerizer

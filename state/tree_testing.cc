// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/tree_testing.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/testing/test_data.h"
#include "gtest/gtest.h"

namespace external_containerizer {
namespace state {

namespace fs = std::filesystem;

std::string FastTemporaryPlace() {
  constexpr char kMemory[] = "/dev/shm";
  return access(kMemory, W_OK | X_OK) == 0 ? kMemory : ::testing::TempDir();
}

TemporaryDirectory::TemporaryDirectory()
    : TemporaryDirectory(::testing::TempDir()) {}

TemporaryDirectory::TemporaryDirectory(const std::string& place)
    : path_(absl::StrCat(place, "/treeXXXXXX")) {
  if (mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no " << path_;
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string TemporaryDirectory::operator/(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

void Unpack(absl::string_view archive, const std::string& directory) {
  const std::string command =
      absl::StrCat("tar -x --no-same-owner -z -f '", TestDataPath(archive),
                   "' -C '", directory, "'");
  ASSERT_EQ(system(command.c_str()), 0) << command;
}

void WriteFile(const std::string& path, absl::string_view bytes) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  ASSERT_TRUE(out) << "cannot write " << path;
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << "cannot read " << path;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

std::map<std::string, std::string> Snapshot(const std::string& directory) {
  std::map<std::string, std::string> entries;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const std::string path = entry.path().string();
    struct stat info;
    if (lstat(path.c_str(), &info) != 0) continue;
    std::string& text = entries[path.substr(directory.size() + 1)];
    text = absl::StrCat(info.st_mode, " ", info.st_mtim.tv_sec, ".",
                        info.st_mtim.tv_nsec, " ");
    if (S_ISLNK(info.st_mode)) {
      text += fs::read_symlink(entry.path()).string();
    } else if (S_ISREG(info.st_mode)) {
      text += ReadFile(path);
    }
  }
  return entries;
}

}  // namespace state
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Makes, unpacks, compares and removes trees of files for tests.
//
//   TemporaryDirectory work;
//   WriteFile(work / "meta/boot_id", "boot");
//   const auto before = Snapshot(work.path());

#ifndef EXTERNAL_CONTAINERIZER_STATE_TREE_TESTING_H_
#define EXTERNAL_CONTAINERIZER_STATE_TREE_TESTING_H_

#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace external_containerizer {
namespace state {

// A directory in memory, if the machine has one; for trees of many files.
std::string FastTemporaryPlace();

// A directory that is removed with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  explicit TemporaryDirectory(const std::string& place);
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::string& path() const { return path_; }
  std::string operator/(absl::string_view name) const;

 private:
  std::string path_;
};

// Unpacks a .tar.gz among the test's data. Failures are the test's.
void Unpack(absl::string_view archive, const std::string& directory);

// Makes, or replaces, a file and the directories above it.
void WriteFile(const std::string& path, absl::string_view bytes);
std::string ReadFile(const std::string& path);

// Every path below `directory`, with its type, mode, time of last change and
// contents or target.
std::map<std::string, std::string> Snapshot(const std::string& directory);

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_TREE_TESTING_H_

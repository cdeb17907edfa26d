// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_FILES_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_FILES_H_

#include <sys/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {

// Reads the files that tell what a container's cgroups use. What is read once
// stays open for the next reader, for opening is most of the cost. (The kernel
// has a page for each.) Cgroups may be removed meanwhile. Not thread-safe.
class CgroupFiles {
 public:
  enum File : size_t {
    kMemoryStat,
    kMemoryNow,
    kSwapNow,
    kMemoryLimit,
    kMemorySoftLimit,
    kCpuStat,
    kUnifiedCpuStat,
    kCpuacctUsage,
    kCpuacctStat,
    kProcs,
    kThreads,
  };
  // The most descriptors that stay open.
  static constexpr size_t kMost = kThreads + 1;
  using Open = std::array<UniqueFd, kMost>;

  // `open` is the caller's, and empty at first.
  explicit CgroupFiles(Open& open) : files_(open) {}
  CgroupFiles(const CgroupFiles&) = delete;
  CgroupFiles& operator=(const CgroupFiles&) = delete;

  // All of `name` in the cgroup `path`; valid until the next call. Without
  // data() if it cannot be read. For one `file` the path is always the same.
  absl::string_view Text(File file, const std::string& path, const char* name);

  std::optional<uint64_t> Number(File file, const std::string& path,
                                 const char* name);

  // Counts a list of processes or threads. `stays_current`: see CgroupVersion.
  std::optional<uint32_t> CountLines(File file, const std::string& path,
                                     const char* name, bool stays_current);

 private:
  // Fills `buffer_` from the file's beginning. Negative if it cannot be read.
  ssize_t Fill(File file, const std::string& path, const char* name);
  ssize_t ReadAt(int fd, off_t offset);

  Open& files_;
  char buffer_[8192];
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_FILES_H_

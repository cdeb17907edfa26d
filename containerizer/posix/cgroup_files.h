// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Reads the files in which the kernel counts what a container's cgroups use.
//
//   CgroupFiles::Open open;  // kept for the next time
//   CgroupFiles files(open);
//   const std::optional<uint64_t> bytes =
//       files.Number(CgroupFiles::kMemoryNow, cgroup.path(), "memory.current");

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

// A file that was read once stays open for the next reader, because opening is
// most of the cost. Each open file costs a descriptor, and a page in the
// kernel. The cgroups may be removed at any time. Not thread-safe.
class CgroupFiles {
 public:
  // The files that can stay open. Each of them belongs to one cgroup.
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

  // `open` starts empty, stays the caller's, and must outlive this object.
  explicit CgroupFiles(Open& open) : files_(open) {}
  CgroupFiles(const CgroupFiles&) = delete;
  CgroupFiles& operator=(const CgroupFiles&) = delete;

  // Returns the contents of the file `name` in the cgroup `path`, at most 8
  // KiB. They are valid until the next call. data() is null if the file cannot
  // be read. Callers pass the same path and name for one `file` each time.
  absl::string_view Text(File file, const std::string& path, const char* name);

  // Returns the number that the file holds; nullopt for "max", or if the file
  // cannot be read.
  std::optional<uint64_t> Number(File file, const std::string& path,
                                 const char* name);

  // Counts the lines of a list of processes or threads; nullopt if it cannot be
  // read. `stays_current` is CgroupVersion::lists_stay_current(): the list is
  // closed again unless it is true.
  std::optional<uint32_t> CountLines(File file, const std::string& path,
                                     const char* name, bool stays_current);

 private:
  // Fills `buffer_` from the file's beginning, and returns the number of bytes.
  // Negative if the file cannot be read.
  ssize_t Fill(File file, const std::string& path, const char* name);
  ssize_t ReadAt(int fd, off_t offset);

  Open& files_;
  char buffer_[8192];
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_FILES_H_

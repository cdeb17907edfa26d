// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What a container's cgroups enforce, and what they have counted.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_LIMITS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_LIMITS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/posix/container_cgroups.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {

struct CgroupLimits {
  // Hard, together with swap. Unset: none. At least kMinMemoryBytes counts.
  std::optional<uint64_t> memory_bytes;
  // A share, relative to the neighbours', of a machine that is busy; and, with
  // `quota`, a maximum. Unset: one CPU's share, and no maximum.
  std::optional<double> cpus;
  bool quota = true;
  std::optional<uint64_t> pids;  // processes and threads
};

// With less no shell starts.
inline constexpr uint64_t kMinMemoryBytes = 4 << 20;
// Of the quota: so much of every 100 ms at least.
inline constexpr int64_t kCpuPeriodMicroseconds = 100000;
inline constexpr int64_t kMinCpuQuotaMicroseconds = 1000;

// Sets them, also of a container that runs. A hard memory limit is not lowered
// below what is in use and cannot be reclaimed (version 2: and a sixteenth
// more, for it grows while one looks), for that would kill what was within its
// rights: then only the soft limit is, and OK returned. What there is no cgroup
// for is passed over (CgroupPlan::missing). An error names the file.
absl::Status SetCgroupLimits(const ContainerCgroups& cgroups,
                             const CgroupLimits& limits);

// Of this moment. Unset is what no cgroup counts or limits.
struct CgroupUsage {
  std::optional<uint64_t> user_microseconds;
  std::optional<uint64_t> system_microseconds;
  std::optional<uint64_t> periods;  // of the quota
  std::optional<uint64_t> throttled_periods;
  std::optional<uint64_t> throttled_microseconds;
  bool cpus_limited = false;  // there is a cgroup for it

  std::optional<uint64_t> memory_bytes;  // all that the limit counts
  std::optional<uint64_t> memory_and_swap_bytes;
  std::optional<uint64_t> anonymous_bytes;
  std::optional<uint64_t> file_bytes;
  std::optional<uint64_t> mapped_file_bytes;
  std::optional<uint64_t> swap_bytes;
  std::optional<uint64_t> unevictable_bytes;
  std::optional<uint64_t> memory_limit_bytes;
  std::optional<uint64_t> memory_soft_limit_bytes;

  std::optional<uint32_t> processes;
  std::optional<uint32_t> threads;
};
CgroupUsage ReadCgroupUsage(const ContainerCgroups& cgroups);

// The same, of one container's cgroups, again and again: what is read once
// stays open, at most kMaxFiles descriptors, for opening is most of the cost.
// (The kernel has a page for each.) Cgroups may be removed meanwhile.
// Not thread-safe.
class CgroupUsageReader {
 public:
  static constexpr size_t kMaxFiles = 11;

  explicit CgroupUsageReader(ContainerCgroups cgroups)
      : cgroups_(std::move(cgroups)) {}

  CgroupUsage Read();

 private:
  enum File : size_t;
  class Reading;

  const ContainerCgroups cgroups_;
  std::array<UniqueFd, kMaxFiles> files_;
};

// What a memory limit did.
struct MemoryEvents {
  uint64_t kills = 0;  // processes that the kernel killed for want of memory
  // It was the container's own limit, not the machine's memory, nor the limit
  // of a cgroup above.
  bool at_limit = false;
  uint64_t peak_bytes = 0;   // the most that was in use; 0: not known
  uint64_t limit_bytes = 0;  // now; 0: none
};
MemoryEvents ReadMemoryEvents(const ContainerCgroups& cgroups);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_LIMITS_H_

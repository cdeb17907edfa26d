// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What a container's cgroups enforce, and what they have counted.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_LIMITS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_LIMITS_H_

#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/posix/cgroup_files.h"
#include "external_containerizer/containerizer/posix/cgroup_version.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"

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
// So much of every kCpuPeriodMicroseconds at least.
inline constexpr int64_t kMinCpuQuotaMicroseconds = 1000;

// Sets them, also of a container that runs. A hard memory limit is not lowered
// below what is in use and cannot be reclaimed (version 2: and a sixteenth
// more, for it grows while one looks), for that would kill what was within its
// rights: then only the soft limit is, and OK returned. What there is no cgroup
// for is passed over (CgroupPlan::missing). An error names the file.
absl::Status SetCgroupLimits(const ContainerCgroups& cgroups,
                             const CgroupLimits& limits);

// What the cgroups use at this moment, and their limits. A field is unset that
// none of them counts or limits.
wire::ResourceStatistics ReadCgroupUsage(const ContainerCgroups& cgroups);

// The same, of one container's cgroups, again and again: it keeps their files
// open (cgroup_files.h). Not thread-safe.
class CgroupUsageReader {
 public:
  explicit CgroupUsageReader(ContainerCgroups cgroups)
      : cgroups_(std::move(cgroups)) {}

  wire::ResourceStatistics Read();

 private:
  const ContainerCgroups cgroups_;
  CgroupFiles::Open files_;
};

// What a memory limit did: sets the fields whose names begin with memory_.
void ReadMemoryEvents(const ContainerCgroups& cgroups, TaskEnd& end);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_LIMITS_H_

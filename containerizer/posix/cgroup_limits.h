// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Sets the limits of a container's cgroups, and reads what they have counted.
//
//   CgroupLimits limits;
//   limits.memory_bytes = 64 << 20;
//   absl::Status set = SetCgroupLimits(records.cgroups, limits);
//   wire::ResourceStatistics usage = ReadCgroupUsage(records.cgroups);

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
  // The hard limit of memory and swap together. Unset: no limit. A smaller
  // value counts as kMinMemoryBytes.
  std::optional<uint64_t> memory_bytes;
  // A share of a busy machine, relative to the neighbours. With `quota` it is a
  // maximum, too. Unset: the share of one CPU, and no maximum.
  std::optional<double> cpus;
  bool quota = true;
  std::optional<uint64_t> pids;  // processes and threads
};

// No shell starts with less.
inline constexpr uint64_t kMinMemoryBytes = 4 << 20;
// The smallest part of each kCpuPeriodMicroseconds.
inline constexpr int64_t kMinCpuQuotaMicroseconds = 1000;

// Sets the limits. The container may be running. A hard memory limit is not
// lowered below the memory that is in use and cannot be reclaimed, because the
// kernel would kill processes that kept to their limit; version 2 leaves a
// sixteenth more, since the use may grow meanwhile. The soft limit is lowered
// instead, and OK returned. A limit whose cgroup is missing is skipped
// (CgroupPlan::missing). FAILED_PRECONDITION names the file that cannot be set.
absl::Status SetCgroupLimits(const ContainerCgroups& cgroups,
                             const CgroupLimits& limits);

// Reads what the cgroups use at this moment, and their limits. A field stays
// unset if no cgroup counts or limits it.
wire::ResourceStatistics ReadCgroupUsage(const ContainerCgroups& cgroups);

// Reads the same for one container again and again, and keeps the files of its
// cgroups open meanwhile (cgroup_files.h). Not thread-safe.
class CgroupUsageReader {
 public:
  explicit CgroupUsageReader(ContainerCgroups cgroups)
      : cgroups_(std::move(cgroups)) {}

  wire::ResourceStatistics Read();

 private:
  const ContainerCgroups cgroups_;
  CgroupFiles::Open files_;
};

// Reads what the memory limit has done. Sets the fields of `end` whose names
// begin with memory_; leaves them alone if no cgroup limits memory.
void ReadMemoryEvents(const ContainerCgroups& cgroups, TaskEnd& end);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_LIMITS_H_

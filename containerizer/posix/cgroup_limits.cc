// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/cgroup_limits.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

constexpr double kMaxCpus = 100000;

}  // namespace

absl::Status SetCgroupLimits(const ContainerCgroups& cgroups,
                             const CgroupLimits& limits) {
  if (const ContainerCgroup* memory = CgroupWith(cgroups, "memory")) {
    std::optional<uint64_t> bytes = limits.memory_bytes;
    if (bytes.has_value()) {
      bytes = std::clamp(*bytes, kMinMemoryBytes, kUnlimitedMemory);
    }
    absl::Status set =
        CgroupVersion::Of(*memory).SetMemory(memory->path(), bytes);
    if (!set.ok()) return set;
  }
  if (const ContainerCgroup* cpu = CgroupWith(cgroups, "cpu")) {
    const double cpus = std::clamp(limits.cpus.value_or(1), 0.0, kMaxCpus);
    const int64_t shares =
        std::clamp<int64_t>(std::llround(cpus * 1024), 2, 262144);
    std::optional<int64_t> quota;
    if (limits.cpus.has_value() && limits.quota) {
      quota = std::max<int64_t>(kMinCpuQuotaMicroseconds,
                                std::llround(cpus * kCpuPeriodMicroseconds));
    }
    absl::Status set =
        CgroupVersion::Of(*cpu).SetCpus(cpu->path(), shares, quota);
    if (!set.ok()) return set;
  }
  const ContainerCgroup* pids = CgroupWith(cgroups, "pids");
  if (pids != nullptr && limits.pids.has_value()) {
    return SetFile(pids->path() + "/pids.max", absl::StrCat(*limits.pids));
  }
  return absl::OkStatus();
}

wire::ResourceStatistics CgroupUsageReader::Read() {
  using Usage = wire::ResourceStatistics;
  Usage usage;
  CgroupFiles files(files_);
  for (const ContainerCgroup& cgroup : cgroups_) {
    CgroupVersion::Of(cgroup).Read(cgroup, files, usage);
  }
  if (!cgroups_.empty()) {
    const ContainerCgroup& any = cgroups_.front();
    const CgroupVersion& version = CgroupVersion::Of(any);
    const bool current = version.lists_stay_current();
    SetIf(files.CountLines(CgroupFiles::kProcs, any.path(), "cgroup.procs",
                           current),
          usage, &Usage::set_processes);
    SetIf(files.CountLines(CgroupFiles::kThreads, any.path(),
                           version.threads_file(), current),
          usage, &Usage::set_threads);
  }
  return usage;
}

wire::ResourceStatistics ReadCgroupUsage(const ContainerCgroups& cgroups) {
  return CgroupUsageReader(cgroups).Read();
}

void ReadMemoryEvents(const ContainerCgroups& cgroups, TaskEnd& end) {
  if (const ContainerCgroup* memory = CgroupWith(cgroups, "memory")) {
    CgroupVersion::Of(*memory).ReadMemoryEvents(memory->path(), end);
  }
}

}  // namespace posix_internal
}  // namespace external_containerizer

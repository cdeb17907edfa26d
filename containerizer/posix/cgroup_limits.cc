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

const ContainerCgroup* Find(const ContainerCgroups& cgroups,
                            const char* controller) {
  for (const ContainerCgroup& cgroup : cgroups) {
    if (cgroup.Has(controller)) return &cgroup;
  }
  return nullptr;
}

CpuLimits CpuLimitsOf(const CgroupLimits& limits) {
  const double cpus = std::clamp(limits.cpus.value_or(1), 0.0, kMaxCpus);
  CpuLimits result;
  result.shares = std::clamp<int64_t>(std::llround(cpus * 1024), 2, 262144);
  if (limits.cpus.has_value() && limits.quota) {
    result.quota_microseconds = std::max<int64_t>(
        kMinCpuQuotaMicroseconds,
        std::llround(cpus * static_cast<double>(kCpuPeriodMicroseconds)));
  }
  return result;
}

}  // namespace

absl::Status SetCgroupLimits(const ContainerCgroups& cgroups,
                             const CgroupLimits& limits) {
  if (const ContainerCgroup* memory = Find(cgroups, "memory")) {
    std::optional<uint64_t> bytes = limits.memory_bytes;
    if (bytes.has_value()) {
      bytes = std::clamp(*bytes, kMinMemoryBytes, kUnlimitedMemory);
    }
    absl::Status set =
        CgroupVersion::Of(*memory).SetMemory(memory->path, bytes);
    if (!set.ok()) return set;
  }
  if (const ContainerCgroup* cpu = Find(cgroups, "cpu")) {
    absl::Status set =
        CgroupVersion::Of(*cpu).SetCpus(cpu->path, CpuLimitsOf(limits));
    if (!set.ok()) return set;
  }
  const ContainerCgroup* pids = Find(cgroups, "pids");
  if (pids != nullptr && limits.pids.has_value()) {
    return SetFile(pids->path + "/pids.max", absl::StrCat(*limits.pids));
  }
  return absl::OkStatus();
}

CgroupUsage CgroupUsageReader::Read() {
  CgroupUsage usage;
  CgroupFiles files(files_);
  for (const ContainerCgroup& cgroup : cgroups_) {
    CgroupVersion::Of(cgroup).Read(cgroup, files, usage);
  }
  if (!cgroups_.empty()) {
    const ContainerCgroup& any = cgroups_.front();
    const CgroupVersion& version = CgroupVersion::Of(any);
    usage.processes =
        files.CountLines(CgroupFiles::kProcs, any.path, "cgroup.procs",
                         version.lists_stay_current());
    usage.threads =
        files.CountLines(CgroupFiles::kThreads, any.path,
                         version.threads_file(), version.lists_stay_current());
  }
  return usage;
}

CgroupUsage ReadCgroupUsage(const ContainerCgroups& cgroups) {
  return CgroupUsageReader(cgroups).Read();
}

MemoryEvents ReadMemoryEvents(const ContainerCgroups& cgroups) {
  const ContainerCgroup* memory = Find(cgroups, "memory");
  if (memory == nullptr) return MemoryEvents();
  return CgroupVersion::Of(*memory).ReadMemoryEvents(memory->path);
}

}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/posix/cgroup_files.h"
#include "external_containerizer/containerizer/posix/cgroup_version.h"
#include "external_containerizer/containerizer/posix/small_files.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

using Usage = wire::ResourceStatistics;

// EBUSY means that the kernel cannot reclaim enough memory.
absl::Status SetUnlessBusy(const std::string& file, const std::string& value) {
  const int error = WriteSmallFile(file, value);
  return error == 0 || error == EBUSY || error == ENOENT
             ? absl::OkStatus()
             : CannotSet(file, value, error);
}

constexpr MemoryFile kMemoryFiles[] = {
    {CgroupFiles::kMemoryNow, "memory.usage_in_bytes",
     &Usage::set_mem_total_bytes},
    {CgroupFiles::kSwapNow, "memory.memsw.usage_in_bytes",
     &Usage::set_mem_total_memsw_bytes},
    {CgroupFiles::kMemoryLimit, "memory.limit_in_bytes",
     &Usage::set_mem_limit_bytes},
    {CgroupFiles::kMemorySoftLimit, "memory.soft_limit_in_bytes",
     &Usage::set_mem_soft_limit_bytes},
};

// The values with "total_" include the cgroups below.
constexpr MemoryStat kMemoryStats[] = {
    {"total_rss", &Usage::set_mem_rss_bytes},
    {"total_rss", &Usage::set_mem_anon_bytes},
    {"total_cache", &Usage::set_mem_file_bytes},
    {"total_cache", &Usage::set_mem_cache_bytes},
    {"total_mapped_file", &Usage::set_mem_mapped_file_bytes},
    {"total_swap", &Usage::set_mem_swap_bytes},
    {"total_unevictable", &Usage::set_mem_unevictable_bytes},
};

void ReadThrottling(const std::string& path, CgroupFiles& files, Usage& usage) {
  const absl::string_view stat =
      files.Text(CgroupFiles::kCpuStat, path, "cpu.stat");
  SetIf(NumberAfter(stat, "nr_periods"), usage, &Usage::set_cpus_nr_periods);
  SetIf(NumberAfter(stat, "nr_throttled"), usage,
        &Usage::set_cpus_nr_throttled);
  if (const auto nanoseconds = NumberAfter(stat, "throttled_time")) {
    usage.set_cpus_throttled_time_secs(Seconds(*nanoseconds / 1000));
  }
}

// cpuacct.usage is exact. cpuacct.stat divides it by user and system, and is
// exact to a clock tick.
void ReadTime(const std::string& path, CgroupFiles& files, Usage& usage) {
  const std::optional<uint64_t> all =
      files.Number(CgroupFiles::kCpuacctUsage, path, "cpuacct.usage");
  if (!all.has_value()) return;
  const absl::string_view stat =
      files.Text(CgroupFiles::kCpuacctStat, path, "cpuacct.stat");
  const auto user = static_cast<double>(NumberAfter(stat, "user").value_or(0));
  const auto system =
      static_cast<double>(NumberAfter(stat, "system").value_or(0));
  const double part = user + system > 0 ? user / (user + system) : 1;
  const double seconds = static_cast<double>(*all) / 1e9;
  usage.set_cpus_user_time_secs(seconds * part);
  usage.set_cpus_system_time_secs(seconds * (1 - part));
}

// Version 1 has a hierarchy for each controller, or for a few controllers.
class Version1 : public CgroupVersion {
 public:
  int number() const override { return 1; }
  absl::StatusOr<std::vector<std::string>> ControllersBelow(
      const std::string&,
      const std::vector<std::string>& named) const override {
    return named;
  }
  absl::Status SetMemory(const std::string& path,
                         std::optional<uint64_t> bytes) const override {
    const std::string limit = path + "/memory.limit_in_bytes";
    const std::string with_swap = path + "/memory.memsw.limit_in_bytes";
    const std::string value = bytes.has_value() ? absl::StrCat(*bytes) : "-1";
    if (absl::Status soft =
            SetFileIfThere(path + "/memory.soft_limit_in_bytes", value);
        !soft.ok()) {
      return soft;
    }
    const std::optional<uint64_t> now = ReadNumber(limit);
    if (!now.has_value()) return CannotSet(limit, value, errno);
    // The kernel refuses a limit above the one that includes swap.
    if (!bytes.has_value() || *bytes >= *now) {
      if (absl::Status raised = SetUnlessBusy(with_swap, value); !raised.ok()) {
        return raised;
      }
      return SetFile(limit, value);
    }
    // The kernel reclaims what it can, and refuses the limit if that is not
    // enough.
    if (absl::Status lowered = SetUnlessBusy(limit, value); !lowered.ok()) {
      return lowered;
    }
    if (ReadNumber(limit).value_or(0) > *bytes) return absl::OkStatus();
    return SetUnlessBusy(with_swap, value);
  }

  absl::Status SetCpus(
      const std::string& path, int64_t shares,
      std::optional<int64_t> quota_microseconds) const override {
    if (absl::Status set = SetFile(path + "/cpu.shares", absl::StrCat(shares));
        !set.ok()) {
      return set;
    }
    const std::string file = path + "/cpu.cfs_quota_us";
    if (!quota_microseconds.has_value()) {
      return SetFileIfThere(file, "-1");
    }
    if (absl::Status set = SetFile(path + "/cpu.cfs_period_us",
                                   absl::StrCat(kCpuPeriodMicroseconds));
        !set.ok()) {
      return set;
    }
    const std::string quota = absl::StrCat(*quota_microseconds);
    const int error = WriteSmallFile(file, quota);
    // EINVAL: a cgroup above has a lower maximum, which counts anyway.
    if (error == EINVAL) return SetFile(file, "-1");
    return error == 0 ? absl::OkStatus() : CannotSet(file, quota, error);
  }

  void Read(const ContainerCgroup& cgroup, CgroupFiles& files,
            Usage& usage) const override {
    if (Has(cgroup, "memory")) {
      ReadMemory(cgroup.path(), kMemoryFiles, kMemoryStats, files, usage);
    }
    if (Has(cgroup, "cpu")) ReadThrottling(cgroup.path(), files, usage);
    // A cgroup of version 2 may have counted it already.
    if (Has(cgroup, "cpuacct") && !usage.has_cpus_user_time_secs()) {
      ReadTime(cgroup.path(), files, usage);
    }
  }

  void ReadMemoryEvents(const std::string& path, TaskEnd& end) const override {
    end.set_memory_kills(
        NumberAfter(ReadSmallFile(path + "/memory.oom_control").value_or(""),
                    "oom_kill")
            .value_or(0));
    end.set_memory_peak_bytes(std::max(
        ReadNumber(path + "/memory.max_usage_in_bytes").value_or(0),
        ReadNumber(path + "/memory.memsw.max_usage_in_bytes").value_or(0)));
    uint64_t limit = ReadNumber(path + "/memory.limit_in_bytes").value_or(0);
    if (limit >= kUnlimitedMemory) limit = 0;
    end.set_memory_limit_bytes(limit);
    // The kernel counts kills for any reason. At the limit the peak stays a few
    // pages below it, because the memory that was asked for did not fit.
    const uint64_t margin = (1 << 20) + limit / 64;
    end.set_memory_at_limit(end.memory_kills() > 0 && limit > 0 &&
                            end.memory_peak_bytes() + margin >= limit);
  }

  const char* threads_file() const override { return "tasks"; }
  bool lists_stay_current() const override { return false; }
};

}  // namespace

const CgroupVersion& CgroupV1() {
  static const Version1& version = *new Version1;
  return version;
}

}  // namespace posix_internal
}  // namespace external_containerizer

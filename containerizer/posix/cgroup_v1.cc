// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/cgroup_v1.h"

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
#include "external_containerizer/containerizer/posix/small_files.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

// EBUSY: the kernel would have to reclaim what it cannot.
absl::Status SetUnlessBusy(const std::string& file, const std::string& value) {
  const int error = WriteSmallFile(file, value);
  return error == 0 || error == EBUSY || error == ENOENT
             ? absl::OkStatus()
             : CannotSet(file, value, error);
}

std::optional<uint64_t> UnlessUnlimited(std::optional<uint64_t> number) {
  return number.has_value() && *number < kUnlimitedMemory ? number
                                                          : std::nullopt;
}

void ReadMemory(const std::string& path, CgroupFiles& files,
                CgroupUsage& usage) {
  usage.memory_bytes =
      files.Number(CgroupFiles::kMemoryNow, path, "memory.usage_in_bytes");
  usage.memory_and_swap_bytes =
      files.Number(CgroupFiles::kSwapNow, path, "memory.memsw.usage_in_bytes");
  usage.memory_limit_bytes = UnlessUnlimited(
      files.Number(CgroupFiles::kMemoryLimit, path, "memory.limit_in_bytes"));
  usage.memory_soft_limit_bytes = UnlessUnlimited(files.Number(
      CgroupFiles::kMemorySoftLimit, path, "memory.soft_limit_in_bytes"));
  const absl::string_view stat =
      files.Text(CgroupFiles::kMemoryStat, path, "memory.stat");
  // The values with "total_" include the cgroups below.
  usage.anonymous_bytes = NumberAfter(stat, "total_rss");
  usage.file_bytes = NumberAfter(stat, "total_cache");
  usage.mapped_file_bytes = NumberAfter(stat, "total_mapped_file");
  usage.swap_bytes = NumberAfter(stat, "total_swap");
  usage.unevictable_bytes = NumberAfter(stat, "total_unevictable");
}

void ReadThrottling(const std::string& path, CgroupFiles& files,
                    CgroupUsage& usage) {
  const absl::string_view stat =
      files.Text(CgroupFiles::kCpuStat, path, "cpu.stat");
  usage.cpus_limited = stat.data() != nullptr;
  usage.periods = NumberAfter(stat, "nr_periods");
  usage.throttled_periods = NumberAfter(stat, "nr_throttled");
  usage.throttled_microseconds = NumberAfter(stat, "throttled_time");
  if (usage.throttled_microseconds.has_value()) {
    *usage.throttled_microseconds /= 1000;  // from nanoseconds
  }
}

// cpuacct.usage is exact; cpuacct.stat divides it, in clock ticks.
void ReadTime(const std::string& path, CgroupFiles& files, CgroupUsage& usage) {
  const std::optional<uint64_t> all =
      files.Number(CgroupFiles::kCpuacctUsage, path, "cpuacct.usage");
  if (!all.has_value()) return;
  const absl::string_view stat =
      files.Text(CgroupFiles::kCpuacctStat, path, "cpuacct.stat");
  const auto user = static_cast<double>(NumberAfter(stat, "user").value_or(0));
  const auto system =
      static_cast<double>(NumberAfter(stat, "system").value_or(0));
  const uint64_t microseconds = *all / 1000;
  const double part = user + system > 0 ? user / (user + system) : 1;
  usage.user_microseconds =
      std::min(microseconds,
               static_cast<uint64_t>(static_cast<double>(microseconds) * part));
  usage.system_microseconds = microseconds - *usage.user_microseconds;
}

}  // namespace

absl::StatusOr<std::vector<std::string>> CgroupV1::ControllersBelow(
    const std::string&, const std::vector<std::string>& named) const {
  return named;
}

std::string CgroupV1::WhyNoneCanJoin(const std::string&,
                                     const std::string&) const {
  return "";
}

std::string CgroupV1::TurnOn(const std::string&, const std::string&) const {
  return "";
}

absl::Status CgroupV1::SetMemory(const std::string& path,
                                 std::optional<uint64_t> bytes) const {
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
  // The limit must never be above the one that includes swap.
  if (!bytes.has_value() || *bytes >= *now) {
    if (absl::Status raised = SetUnlessBusy(with_swap, value); !raised.ok()) {
      return raised;
    }
    return SetFile(limit, value);
  }
  // The kernel reclaims what it can, and refuses the rest.
  if (absl::Status lowered = SetUnlessBusy(limit, value); !lowered.ok()) {
    return lowered;
  }
  if (ReadNumber(limit).value_or(0) > *bytes) return absl::OkStatus();
  return SetUnlessBusy(with_swap, value);
}

absl::Status CgroupV1::SetCpus(const std::string& path,
                               const CpuLimits& limits) const {
  if (absl::Status set =
          SetFile(path + "/cpu.shares", absl::StrCat(limits.shares));
      !set.ok()) {
    return set;
  }
  const std::string file = path + "/cpu.cfs_quota_us";
  if (!limits.quota_microseconds.has_value()) {
    return SetFileIfThere(file, "-1");
  }
  if (absl::Status set = SetFile(path + "/cpu.cfs_period_us",
                                 absl::StrCat(kCpuPeriodMicroseconds));
      !set.ok()) {
    return set;
  }
  const std::string quota = absl::StrCat(*limits.quota_microseconds);
  const int error = WriteSmallFile(file, quota);
  // More than a cgroup above may use: that one is the maximum.
  if (error == EINVAL) return SetFile(file, "-1");
  return error == 0 ? absl::OkStatus() : CannotSet(file, quota, error);
}

void CgroupV1::Read(const ContainerCgroup& cgroup, CgroupFiles& files,
                    CgroupUsage& usage) const {
  if (cgroup.Has("memory")) ReadMemory(cgroup.path, files, usage);
  if (cgroup.Has("cpu")) ReadThrottling(cgroup.path, files, usage);
  // Version 2 counts it too, if there is one.
  if (cgroup.Has("cpuacct") && !usage.user_microseconds.has_value()) {
    ReadTime(cgroup.path, files, usage);
  }
}

MemoryEvents CgroupV1::ReadMemoryEvents(const std::string& path) const {
  MemoryEvents events;
  events.kills =
      NumberAfter(ReadSmallFile(path + "/memory.oom_control").value_or(""),
                  "oom_kill")
          .value_or(0);
  events.peak_bytes = std::max(
      ReadNumber(path + "/memory.max_usage_in_bytes").value_or(0),
      ReadNumber(path + "/memory.memsw.max_usage_in_bytes").value_or(0));
  events.limit_bytes =
      UnlessUnlimited(ReadNumber(path + "/memory.limit_in_bytes")).value_or(0);
  // The counter is of kills for any reason. At the limit the peak is a few
  // pages below it, for what was asked for did not fit.
  const uint64_t margin = (1 << 20) + events.limit_bytes / 64;
  events.at_limit = events.kills > 0 && events.limit_bytes > 0 &&
                    events.peak_bytes + margin >= events.limit_bytes;
  return events;
}

std::optional<bool> CgroupV1::IsPopulated(const std::string&) const {
  return std::nullopt;
}

bool CgroupV1::KillAll(const std::string&) const { return false; }

}  // namespace posix_internal
}  // namespace external_containerizer

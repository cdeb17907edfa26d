// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/cgroup_limits.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/posix/small_files.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

constexpr double kMaxCpus = 100000;
// Version 1 has no word for "none" when it is read.
constexpr uint64_t kUnlimited = uint64_t{1} << 60;
constexpr size_t kMaxProcs = 4 << 20;
constexpr size_t kBufferSize = 8192;

const ContainerCgroup* Find(const ContainerCgroups& cgroups,
                            const char* controller) {
  for (const ContainerCgroup& cgroup : cgroups) {
    if (std::find(cgroup.controllers.begin(), cgroup.controllers.end(),
                  controller) != cgroup.controllers.end()) {
      return &cgroup;
    }
  }
  return nullptr;
}

absl::Status CannotSet(const std::string& file, const std::string& value,
                       int error) {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot set ", file, " to ", value, ": ", strerror(error)));
}

absl::Status Set(const std::string& file, const std::string& value) {
  const int error = WriteSmallFile(file, value);
  return error == 0 ? absl::OkStatus() : CannotSet(file, value, error);
}

// Some kernels do not have it (swap accounting, 5.19's memory.reclaim, ...).
absl::Status SetIfThere(const std::string& file, const std::string& value) {
  const int error = WriteSmallFile(file, value);
  return error == 0 || error == ENOENT ? absl::OkStatus()
                                       : CannotSet(file, value, error);
}

// EBUSY: the kernel of version 1 would have to reclaim what it cannot.
absl::Status SetUnlessBusy(const std::string& file, const std::string& value) {
  const int error = WriteSmallFile(file, value);
  return error == 0 || error == EBUSY || error == ENOENT
             ? absl::OkStatus()
             : CannotSet(file, value, error);
}

absl::Status SetMemory1(const std::string& path,
                        std::optional<uint64_t> bytes) {
  const std::string limit = path + "/memory.limit_in_bytes";
  const std::string with_swap = path + "/memory.memsw.limit_in_bytes";
  const std::string value = bytes.has_value() ? absl::StrCat(*bytes) : "-1";
  if (absl::Status soft =
          SetIfThere(path + "/memory.soft_limit_in_bytes", value);
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
    return Set(limit, value);
  }
  // The kernel reclaims what it can, and refuses the rest.
  if (absl::Status lowered = SetUnlessBusy(limit, value); !lowered.ok()) {
    return lowered;
  }
  if (ReadNumber(limit).value_or(0) > *bytes) return absl::OkStatus();
  return SetUnlessBusy(with_swap, value);
}

// Here the kernel would kill until what is left fits.
absl::Status SetMemory2(const std::string& path,
                        std::optional<uint64_t> bytes) {
  const std::string limit = path + "/memory.max";
  const std::string soft_limit = path + "/memory.high";
  const std::string value = bytes.has_value() ? absl::StrCat(*bytes) : "max";
  // Swap would have no limit otherwise.
  if (absl::Status swap = SetIfThere(path + "/memory.swap.max",
                                     bytes.has_value() ? "0" : "max");
      !swap.ok()) {
    return swap;
  }
  errno = 0;
  const std::optional<uint64_t> now = ReadNumber(limit);
  if (!now.has_value() && errno != 0) return CannotSet(limit, value, errno);
  const bool lowers = bytes.has_value() && *bytes < now.value_or(kUnlimited);
  if (lowers) {
    // Reclaims, and slows down what grows: that far below the limit that kills,
    // that what comes between our look at the use and that limit stays below.
    const uint64_t below = *bytes - *bytes / 16;
    if (absl::Status soft = Set(soft_limit, absl::StrCat(below)); !soft.ok()) {
      return soft;
    }
    const std::string current = path + "/memory.current";
    const uint64_t used = ReadNumber(current).value_or(0);
    if (used > below) {
      (void)WriteSmallFile(path + "/memory.reclaim",
                           absl::StrCat(used - below));
    }
    if (ReadNumber(current).value_or(0) > below) return Set(soft_limit, value);
  }
  if (absl::Status set = Set(limit, value); !set.ok()) return set;
  // The hard limit is all that is wanted.
  return SetIfThere(soft_limit, "max");
}

absl::Status SetCpus(const ContainerCgroup& cgroup, std::optional<double> cpus,
                     bool quota) {
  const double share = std::clamp(cpus.value_or(1), 0.0, kMaxCpus);
  const auto shares =
      std::clamp<int64_t>(std::llround(share * 1024), 2, 262144);
  const bool limited = cpus.has_value() && quota;
  const int64_t runs = std::max(
      kMinCpuQuotaMicroseconds,
      static_cast<int64_t>(
          std::llround(share * static_cast<double>(kCpuPeriodMicroseconds))));
  if (cgroup.unified) {
    // The usual mapping of 2..262144 on 1..10000.
    const int64_t weight = 1 + (shares - 2) * 9999 / 262142;
    if (absl::Status set =
            Set(cgroup.path + "/cpu.weight", absl::StrCat(weight));
        !set.ok()) {
      return set;
    }
    const std::string max = absl::StrCat(limited ? absl::StrCat(runs) : "max",
                                         " ", kCpuPeriodMicroseconds);
    return limited ? Set(cgroup.path + "/cpu.max", max)
                   : SetIfThere(cgroup.path + "/cpu.max", max);
  }
  if (absl::Status set = Set(cgroup.path + "/cpu.shares", absl::StrCat(shares));
      !set.ok()) {
    return set;
  }
  const std::string file = cgroup.path + "/cpu.cfs_quota_us";
  if (!limited) return SetIfThere(file, "-1");
  if (absl::Status set = Set(cgroup.path + "/cpu.cfs_period_us",
                             absl::StrCat(kCpuPeriodMicroseconds));
      !set.ok()) {
    return set;
  }
  const int error = WriteSmallFile(file, absl::StrCat(runs));
  // More than a cgroup above may use: that one is the maximum.
  if (error == EINVAL) return Set(file, "-1");
  return error == 0 ? absl::OkStatus()
                    : CannotSet(file, absl::StrCat(runs), error);
}

std::optional<uint64_t> Below(std::optional<uint64_t> number, uint64_t bound) {
  return number.has_value() && *number < bound ? number : std::nullopt;
}

}  // namespace

absl::Status SetCgroupLimits(const ContainerCgroups& cgroups,
                             const CgroupLimits& limits) {
  if (const ContainerCgroup* memory = Find(cgroups, "memory")) {
    std::optional<uint64_t> bytes = limits.memory_bytes;
    if (bytes.has_value()) {
      bytes = std::clamp(*bytes, kMinMemoryBytes, kUnlimited);
    }
    absl::Status set = memory->unified ? SetMemory2(memory->path, bytes)
                                       : SetMemory1(memory->path, bytes);
    if (!set.ok()) return set;
  }
  if (const ContainerCgroup* cpu = Find(cgroups, "cpu")) {
    absl::Status set = SetCpus(*cpu, limits.cpus, limits.quota);
    if (!set.ok()) return set;
  }
  const ContainerCgroup* pids = Find(cgroups, "pids");
  if (pids != nullptr && limits.pids.has_value()) {
    return Set(pids->path + "/pids.max", absl::StrCat(*limits.pids));
  }
  return absl::OkStatus();
}

enum CgroupUsageReader::File : size_t {
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

// One Read().
class CgroupUsageReader::Reading {
 public:
  explicit Reading(CgroupUsageReader& reader)
      : cgroups_(reader.cgroups_), files_(reader.files_) {
    static_assert(kThreads + 1 == kMaxFiles);
  }

  CgroupUsage Run() {
    if (const ContainerCgroup* memory = Find(cgroups_, "memory")) {
      memory->unified ? ReadMemory2(*memory) : ReadMemory1(*memory);
    }
    const ContainerCgroup* cpu = Find(cgroups_, "cpu");
    if (cpu != nullptr && !cpu->unified) ReadCpuStat1(*cpu);
    for (const ContainerCgroup& cgroup : cgroups_) {
      // Also without the controller.
      if (cgroup.unified) ReadCpuStat2(cgroup, &cgroup == cpu);
    }
    const ContainerCgroup* cpuacct = Find(cgroups_, "cpuacct");
    if (!usage_.user_microseconds.has_value() && cpuacct != nullptr) {
      ReadCpuTime1(*cpuacct);
    }
    if (!cgroups_.empty()) {
      const ContainerCgroup& any = cgroups_.front();
      usage_.processes = CountLines(kProcs, any, "cgroup.procs");
      usage_.threads =
          CountLines(kThreads, any, any.unified ? "cgroup.threads" : "tasks");
    }
    return usage_;
  }

 private:
  void ReadMemory1(const ContainerCgroup& cgroup) {
    usage_.memory_bytes = Number(kMemoryNow, cgroup, "memory.usage_in_bytes");
    usage_.memory_and_swap_bytes =
        Number(kSwapNow, cgroup, "memory.memsw.usage_in_bytes");
    usage_.memory_limit_bytes = Below(
        Number(kMemoryLimit, cgroup, "memory.limit_in_bytes"), kUnlimited);
    usage_.memory_soft_limit_bytes =
        Below(Number(kMemorySoftLimit, cgroup, "memory.soft_limit_in_bytes"),
              kUnlimited);
    const absl::string_view stat = Text(kMemoryStat, cgroup, "memory.stat");
    // Those with "total_" include the cgroups below.
    usage_.anonymous_bytes = NumberAfter(stat, "total_rss");
    usage_.file_bytes = NumberAfter(stat, "total_cache");
    usage_.mapped_file_bytes = NumberAfter(stat, "total_mapped_file");
    usage_.swap_bytes = NumberAfter(stat, "total_swap");
    usage_.unevictable_bytes = NumberAfter(stat, "total_unevictable");
  }

  void ReadMemory2(const ContainerCgroup& cgroup) {
    usage_.memory_bytes = Number(kMemoryNow, cgroup, "memory.current");
    usage_.swap_bytes = Number(kSwapNow, cgroup, "memory.swap.current");
    if (usage_.memory_bytes.has_value() && usage_.swap_bytes.has_value()) {
      usage_.memory_and_swap_bytes = *usage_.memory_bytes + *usage_.swap_bytes;
    }
    usage_.memory_limit_bytes = Number(kMemoryLimit, cgroup, "memory.max");
    usage_.memory_soft_limit_bytes =
        Number(kMemorySoftLimit, cgroup, "memory.high");
    const absl::string_view stat = Text(kMemoryStat, cgroup, "memory.stat");
    usage_.anonymous_bytes = NumberAfter(stat, "anon");
    usage_.file_bytes = NumberAfter(stat, "file");
    usage_.mapped_file_bytes = NumberAfter(stat, "file_mapped");
    usage_.unevictable_bytes = NumberAfter(stat, "unevictable");
  }

  void ReadCpuStat1(const ContainerCgroup& cgroup) {
    const absl::string_view stat = Text(kCpuStat, cgroup, "cpu.stat");
    usage_.cpus_limited = stat.data() != nullptr;
    usage_.periods = NumberAfter(stat, "nr_periods");
    usage_.throttled_periods = NumberAfter(stat, "nr_throttled");
    usage_.throttled_microseconds = NumberAfter(stat, "throttled_time");
    if (usage_.throttled_microseconds.has_value()) {
      *usage_.throttled_microseconds /= 1000;  // from nanoseconds
    }
  }

  void ReadCpuStat2(const ContainerCgroup& cgroup, bool limited) {
    const absl::string_view stat = Text(kUnifiedCpuStat, cgroup, "cpu.stat");
    usage_.user_microseconds = NumberAfter(stat, "user_usec");
    usage_.system_microseconds = NumberAfter(stat, "system_usec");
    if (!limited) return;
    usage_.cpus_limited = stat.data() != nullptr;
    usage_.periods = NumberAfter(stat, "nr_periods");
    usage_.throttled_periods = NumberAfter(stat, "nr_throttled");
    usage_.throttled_microseconds = NumberAfter(stat, "throttled_usec");
  }

  // cpuacct.usage is exact; cpuacct.stat divides it, in clock ticks.
  void ReadCpuTime1(const ContainerCgroup& cgroup) {
    const std::optional<uint64_t> all =
        Number(kCpuacctUsage, cgroup, "cpuacct.usage");
    if (!all.has_value()) return;
    const absl::string_view stat = Text(kCpuacctStat, cgroup, "cpuacct.stat");
    const auto user =
        static_cast<double>(NumberAfter(stat, "user").value_or(0));
    const auto system =
        static_cast<double>(NumberAfter(stat, "system").value_or(0));
    const uint64_t microseconds = *all / 1000;
    const double part = user + system > 0 ? user / (user + system) : 1;
    usage_.user_microseconds = std::min(
        microseconds,
        static_cast<uint64_t>(static_cast<double>(microseconds) * part));
    usage_.system_microseconds = microseconds - *usage_.user_microseconds;
  }

  // Until the next one. Without data() if the file cannot be read.
  absl::string_view Text(File file, const ContainerCgroup& cgroup,
                         const char* name) {
    const ssize_t n = Fill(file, cgroup, name);
    // The kernel hands out these in one piece.
    return n < 0 ? absl::string_view()
                 : absl::string_view(buffer_, static_cast<size_t>(n));
  }

  std::optional<uint64_t> Number(File file, const ContainerCgroup& cgroup,
                                 const char* name) {
    return ParseNumber(Text(file, cgroup, name));
  }

  // Of a list of processes or threads.
  std::optional<uint32_t> CountLines(File file, const ContainerCgroup& cgroup,
                                     const char* name) {
    ssize_t n = Fill(file, cgroup, name);
    if (n < 0) return std::nullopt;
    size_t size = 0;
    ptrdiff_t lines = 0;
    while (n > 0) {
      lines += std::count(buffer_, buffer_ + n, '\n');
      size += static_cast<size_t>(n);
      // These are in pieces of about a page. A small one is the last.
      if (n < kSmallPiece || size >= kMaxProcs) break;
      n = ReadAt(files_[file].get(), static_cast<off_t>(size));
    }
    // What version 1 lists is of the moment it was opened.
    if (!cgroup.unified) files_[file].Reset();
    return static_cast<uint32_t>(lines);
  }

  // From the file's beginning. Negative if it cannot be read.
  ssize_t Fill(File file, const ContainerCgroup& cgroup, const char* name) {
    UniqueFd& fd = files_[file];
    if (fd.valid()) {
      const ssize_t n = ReadAt(fd.get(), 0);
      if (n >= 0) return n;
      // It is gone, but there may be another one, if somebody has turned the
      // controller off and on.
    }
    fd.Reset(open(absl::StrCat(cgroup.path, "/", name).c_str(),
                  O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    return fd.valid() ? ReadAt(fd.get(), 0) : -1;
  }

  ssize_t ReadAt(int fd, off_t offset) {
    ssize_t n;
    do {
      n = pread(fd, buffer_, sizeof(buffer_), offset);
    } while (n < 0 && errno == EINTR);
    return n;
  }

  static constexpr ssize_t kSmallPiece = 2048;

  const ContainerCgroups& cgroups_;
  std::array<UniqueFd, kMaxFiles>& files_;
  CgroupUsage usage_;
  char buffer_[kBufferSize];
};

CgroupUsage CgroupUsageReader::Read() { return Reading(*this).Run(); }

CgroupUsage ReadCgroupUsage(const ContainerCgroups& cgroups) {
  return CgroupUsageReader(cgroups).Read();
}

MemoryEvents ReadMemoryEvents(const ContainerCgroups& cgroups) {
  MemoryEvents events;
  const ContainerCgroup* memory = Find(cgroups, "memory");
  if (memory == nullptr) return events;
  const std::string& path = memory->path;
  if (memory->unified) {
    const std::string text =
        ReadSmallFile(path + "/memory.events").value_or("");
    events.kills = NumberAfter(text, "oom_kill").value_or(0);
    // Not where a cgroup that the task made below has reached one of its own;
    // kernels before 5.2 do not tell that apart.
    events.at_limit =
        NumberAfter(ReadSmallFile(path + "/memory.events.local").value_or(text),
                    "oom")
            .value_or(0) > 0;
    events.peak_bytes = ReadNumber(path + "/memory.peak").value_or(0);
    events.limit_bytes = ReadNumber(path + "/memory.max").value_or(0);
    return events;
  }
  events.kills =
      NumberAfter(ReadSmallFile(path + "/memory.oom_control").value_or(""),
                  "oom_kill")
          .value_or(0);
  events.peak_bytes = std::max(
      ReadNumber(path + "/memory.max_usage_in_bytes").value_or(0),
      ReadNumber(path + "/memory.memsw.max_usage_in_bytes").value_or(0));
  events.limit_bytes =
      Below(ReadNumber(path + "/memory.limit_in_bytes"), kUnlimited)
          .value_or(0);
  // The counter is of kills for any reason. At the limit the peak is a few
  // pages below it, for what was asked for did not fit.
  const uint64_t margin = (1 << 20) + events.limit_bytes / 64;
  events.at_limit = events.kills > 0 && events.limit_bytes > 0 &&
                    events.peak_bytes + margin >= events.limit_bytes;
  return events;
}

}  // namespace posix_internal
}  // namespace external_containerizer

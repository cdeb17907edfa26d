// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
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

// A user may move a process if the user may write to cgroup.procs of the
// nearest cgroup above both places.
std::string CommonAncestor(const std::string& a, const std::string& b) {
  size_t end = 0;
  size_t i = 0;
  while (i < a.size() && i < b.size() && a[i] == b[i]) {
    if (a[i] == '/') end = i;
    ++i;
  }
  const bool a_ends = i == a.size() && (i == b.size() || b[i] == '/');
  const bool b_ends = i == b.size() && i < a.size() && a[i] == '/';
  return a.substr(0, a_ends || b_ends ? i : end);
}

constexpr MemoryFile kMemoryFiles[] = {
    {CgroupFiles::kMemoryNow, "memory.current", &Usage::set_mem_total_bytes},
    {CgroupFiles::kSwapNow, "memory.swap.current", &Usage::set_mem_swap_bytes},
    {CgroupFiles::kMemoryLimit, "memory.max", &Usage::set_mem_limit_bytes},
    {CgroupFiles::kMemorySoftLimit, "memory.high",
     &Usage::set_mem_soft_limit_bytes},
};

constexpr MemoryStat kMemoryStats[] = {
    {"anon", &Usage::set_mem_rss_bytes},
    {"anon", &Usage::set_mem_anon_bytes},
    {"file", &Usage::set_mem_file_bytes},
    {"file", &Usage::set_mem_cache_bytes},
    {"file_mapped", &Usage::set_mem_mapped_file_bytes},
    {"unevictable", &Usage::set_mem_unevictable_bytes},
};

// Version 2 has one hierarchy. Controllers are turned on level by level.
class Version2 : public CgroupVersion {
 public:
  int number() const override { return 2; }
  absl::StatusOr<std::vector<std::string>> ControllersBelow(
      const std::string& above,
      const std::vector<std::string>&) const override {
    const std::optional<std::string> controllers =
        ReadSmallFile(above + "/cgroup.controllers");
    if (controllers.has_value()) return WordsOf(*controllers);
    return absl::FailedPreconditionError(absl::StrCat(
        "cannot look into the cgroup ", above, ": ", strerror(errno)));
  }

  std::string WhyNoneCanJoin(const std::string& own,
                             const std::string& path) const override {
    const std::string common = CommonAncestor(own, path);
    if (faccessat(AT_FDCWD, (common + "/cgroup.procs").c_str(), W_OK,
                  AT_EACCESS) == 0) {
      return "";
    }
    return absl::StrCat("no process may be moved by this user below ", common);
  }

  std::string TurnOn(const std::string& above,
                     const std::string& controller) const override {
    if (controller == "cpuacct") return "";  // version 1 only
    const std::string file = above + "/cgroup.subtree_control";
    const std::optional<std::string> on = ReadSmallFile(file);
    int error = errno;
    if (on.has_value()) {
      const std::vector<std::string> words = WordsOf(*on);
      if (std::find(words.begin(), words.end(), controller) != words.end()) {
        return "";
      }
      error = WriteSmallFile(file, "+" + controller);
    }
    if (error == 0) return "";
    if (error == EBUSY) {
      return absl::StrCat(
          "the cgroup ", above,
          " has processes of its own, and version 2 then gives those below "
          "it no controllers: name an empty one that was delegated to this "
          "user (--cgroup_parent)");
    }
    return absl::StrCat("cannot turn it on for cgroups below ", above, ": ",
                        strerror(error));
  }

  // The kernel of version 2 kills until the rest fits below a lowered limit.
  absl::Status SetMemory(const std::string& path,
                         std::optional<uint64_t> bytes) const override {
    const std::string limit = path + "/memory.max";
    const std::string soft_limit = path + "/memory.high";
    const std::string value = bytes.has_value() ? absl::StrCat(*bytes) : "max";
    // Memory alone is limited by memory.max.
    if (absl::Status swap = SetFileIfThere(path + "/memory.swap.max",
                                           bytes.has_value() ? "0" : "max");
        !swap.ok()) {
      return swap;
    }
    errno = 0;
    const std::optional<uint64_t> now = ReadNumber(limit);
    if (!now.has_value() && errno != 0) return CannotSet(limit, value, errno);
    const bool lowers = bytes.has_value() && *bytes < now.value_or(UINT64_MAX);
    if (lowers) {
      // The soft limit reclaims memory and slows down growth. It is a sixteenth
      // below the hard one, so that the use does not reach the hard limit
      // between our look at it and the change.
      const uint64_t below = *bytes - *bytes / 16;
      if (absl::Status soft = SetFile(soft_limit, absl::StrCat(below));
          !soft.ok()) {
        return soft;
      }
      const std::string current = path + "/memory.current";
      const uint64_t used = ReadNumber(current).value_or(0);
      if (used > below) {
        (void)WriteSmallFile(path + "/memory.reclaim",
                             absl::StrCat(used - below));
      }
      if (ReadNumber(current).value_or(0) > below) {
        return SetFile(soft_limit, value);
      }
    }
    if (absl::Status set = SetFile(limit, value); !set.ok()) return set;
    // The soft limit was needed on the way only.
    return SetFileIfThere(soft_limit, "max");
  }

  absl::Status SetCpus(
      const std::string& path, int64_t shares,
      std::optional<int64_t> quota_microseconds) const override {
    // The mapping of 2..262144 to 1..10000 that container runtimes use.
    const int64_t weight = 1 + (shares - 2) * 9999 / 262142;
    if (absl::Status set = SetFile(path + "/cpu.weight", absl::StrCat(weight));
        !set.ok()) {
      return set;
    }
    const std::string file = path + "/cpu.max";
    if (quota_microseconds.has_value()) {
      return SetFile(
          file, absl::StrCat(*quota_microseconds, " ", kCpuPeriodMicroseconds));
    }
    return SetFileIfThere(file, absl::StrCat("max ", kCpuPeriodMicroseconds));
  }

  void Read(const ContainerCgroup& cgroup, CgroupFiles& files,
            Usage& usage) const override {
    if (Has(cgroup, "memory")) {
      ReadMemory(cgroup.path(), kMemoryFiles, kMemoryStats, files, usage);
      if (usage.has_mem_total_bytes() && usage.has_mem_swap_bytes()) {
        usage.set_mem_total_memsw_bytes(usage.mem_total_bytes() +
                                        usage.mem_swap_bytes());
      }
    }
    const absl::string_view stat =
        files.Text(CgroupFiles::kUnifiedCpuStat, cgroup.path(), "cpu.stat");
    // The kernel counts time without the controller, too.
    if (const auto user = NumberAfter(stat, "user_usec")) {
      usage.set_cpus_user_time_secs(Seconds(*user));
      usage.set_cpus_system_time_secs(
          Seconds(NumberAfter(stat, "system_usec").value_or(0)));
    }
    if (!Has(cgroup, "cpu")) return;
    SetIf(NumberAfter(stat, "nr_periods"), usage, &Usage::set_cpus_nr_periods);
    SetIf(NumberAfter(stat, "nr_throttled"), usage,
          &Usage::set_cpus_nr_throttled);
    if (const auto throttled = NumberAfter(stat, "throttled_usec")) {
      usage.set_cpus_throttled_time_secs(Seconds(*throttled));
    }
  }

  void ReadMemoryEvents(const std::string& path, TaskEnd& end) const override {
    const std::string text =
        ReadSmallFile(path + "/memory.events").value_or("");
    end.set_memory_kills(NumberAfter(text, "oom_kill").value_or(0));
    // memory.events.local leaves out limits of cgroups that the task made
    // below. Kernels before 5.2 do not have it.
    end.set_memory_at_limit(
        NumberAfter(ReadSmallFile(path + "/memory.events.local").value_or(text),
                    "oom")
            .value_or(0) > 0);
    end.set_memory_peak_bytes(ReadNumber(path + "/memory.peak").value_or(0));
    end.set_memory_limit_bytes(ReadNumber(path + "/memory.max").value_or(0));
  }

  const char* threads_file() const override { return "cgroup.threads"; }
  bool lists_stay_current() const override { return true; }
  std::optional<bool> IsPopulated(const std::string& path) const override {
    // The file counts the cgroups below, too.
    const std::optional<uint64_t> populated = NumberAfter(
        ReadSmallFile(path + "/cgroup.events").value_or(""), "populated");
    if (!populated.has_value()) return std::nullopt;
    return *populated != 0;
  }

  bool KillAll(const std::string& path) const override {
    // Kernels before 5.14 do not have the file.
    return WriteSmallFile(path + "/cgroup.kill", "1") == 0;
  }
};

}  // namespace

const CgroupVersion& CgroupV2() {
  static const Version2& version = *new Version2;
  return version;
}

}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/cgroup_v2.h"

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
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/posix/small_files.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

std::vector<std::string> Words(const std::string& text) {
  return absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
}

// A process can be moved by who may write to the cgroup.procs of the nearest
// cgroup that is above both.
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

void ReadMemory(const std::string& path, CgroupFiles& files,
                CgroupUsage& usage) {
  usage.memory_bytes =
      files.Number(CgroupFiles::kMemoryNow, path, "memory.current");
  usage.swap_bytes =
      files.Number(CgroupFiles::kSwapNow, path, "memory.swap.current");
  if (usage.memory_bytes.has_value() && usage.swap_bytes.has_value()) {
    usage.memory_and_swap_bytes = *usage.memory_bytes + *usage.swap_bytes;
  }
  usage.memory_limit_bytes =
      files.Number(CgroupFiles::kMemoryLimit, path, "memory.max");
  usage.memory_soft_limit_bytes =
      files.Number(CgroupFiles::kMemorySoftLimit, path, "memory.high");
  const absl::string_view stat =
      files.Text(CgroupFiles::kMemoryStat, path, "memory.stat");
  usage.anonymous_bytes = NumberAfter(stat, "anon");
  usage.file_bytes = NumberAfter(stat, "file");
  usage.mapped_file_bytes = NumberAfter(stat, "file_mapped");
  usage.unevictable_bytes = NumberAfter(stat, "unevictable");
}

}  // namespace

absl::StatusOr<std::vector<std::string>> CgroupV2::ControllersBelow(
    const std::string& above, const std::vector<std::string>&) const {
  const std::optional<std::string> controllers =
      ReadSmallFile(above + "/cgroup.controllers");
  if (controllers.has_value()) return Words(*controllers);
  return absl::FailedPreconditionError(absl::StrCat(
      "cannot look into the cgroup ", above, ": ", strerror(errno)));
}

std::string CgroupV2::WhyNoneCanJoin(const std::string& own,
                                     const std::string& path) const {
  const std::string common = CommonAncestor(own, path);
  if (faccessat(AT_FDCWD, (common + "/cgroup.procs").c_str(), W_OK,
                AT_EACCESS) == 0) {
    return "";
  }
  return absl::StrCat("no process may be moved by this user below ", common);
}

std::string CgroupV2::TurnOn(const std::string& above,
                             const std::string& controller) const {
  if (controller == "cpuacct") return "";  // version 1's
  const std::string file = above + "/cgroup.subtree_control";
  const std::optional<std::string> on = ReadSmallFile(file);
  int error = errno;
  if (on.has_value()) {
    const std::vector<std::string> words = Words(*on);
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

// Here the kernel would kill until what is left fits.
absl::Status CgroupV2::SetMemory(const std::string& path,
                                 std::optional<uint64_t> bytes) const {
  const std::string limit = path + "/memory.max";
  const std::string soft_limit = path + "/memory.high";
  const std::string value = bytes.has_value() ? absl::StrCat(*bytes) : "max";
  // Swap would have no limit otherwise.
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
    // Reclaims, and slows down what grows: that far below the limit that kills,
    // that what comes between our look at the use and that limit stays below.
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
  // The hard limit is all that is wanted.
  return SetFileIfThere(soft_limit, "max");
}

absl::Status CgroupV2::SetCpus(const std::string& path,
                               const CpuLimits& limits) const {
  // The usual mapping of 2..262144 on 1..10000.
  const int64_t weight = 1 + (limits.shares - 2) * 9999 / 262142;
  if (absl::Status set = SetFile(path + "/cpu.weight", absl::StrCat(weight));
      !set.ok()) {
    return set;
  }
  const std::string file = path + "/cpu.max";
  if (limits.quota_microseconds.has_value()) {
    return SetFile(file, absl::StrCat(*limits.quota_microseconds, " ",
                                      kCpuPeriodMicroseconds));
  }
  return SetFileIfThere(file, absl::StrCat("max ", kCpuPeriodMicroseconds));
}

void CgroupV2::Read(const ContainerCgroup& cgroup, CgroupFiles& files,
                    CgroupUsage& usage) const {
  if (cgroup.Has("memory")) ReadMemory(cgroup.path, files, usage);
  const absl::string_view stat =
      files.Text(CgroupFiles::kUnifiedCpuStat, cgroup.path, "cpu.stat");
  // Also without the controller.
  if (const auto user = NumberAfter(stat, "user_usec")) {
    usage.user_microseconds = user;
    usage.system_microseconds = NumberAfter(stat, "system_usec");
  }
  if (!cgroup.Has("cpu")) return;
  usage.cpus_limited = stat.data() != nullptr;
  usage.periods = NumberAfter(stat, "nr_periods");
  usage.throttled_periods = NumberAfter(stat, "nr_throttled");
  usage.throttled_microseconds = NumberAfter(stat, "throttled_usec");
}

MemoryEvents CgroupV2::ReadMemoryEvents(const std::string& path) const {
  MemoryEvents events;
  const std::string text = ReadSmallFile(path + "/memory.events").value_or("");
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

std::optional<bool> CgroupV2::IsPopulated(const std::string& path) const {
  // With all that is below it.
  const std::optional<uint64_t> populated = NumberAfter(
      ReadSmallFile(path + "/cgroup.events").value_or(""), "populated");
  if (!populated.has_value()) return std::nullopt;
  return *populated != 0;
}

bool CgroupV2::KillAll(const std::string& path) const {
  // Kernels before 5.14 do not know it.
  return WriteSmallFile(path + "/cgroup.kill", "1") == 0;
}

}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The two versions of cgroups differ in the names and meanings of their
// files. All else is in cgroup_limits.h and container_cgroups.h, which
// ask CgroupVersion::Of(cgroup).

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_VERSION_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_VERSION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/posix/cgroup_files.h"

namespace external_containerizer {
namespace posix_internal {

// A directory in one hierarchy.
struct ContainerCgroup {
  bool unified = false;                  // version 2
  std::vector<std::string> controllers;  // memory, cpu, cpuacct, pids
  std::string path;                      // absolute

  bool Has(absl::string_view controller) const;

  friend bool operator==(const ContainerCgroup& a, const ContainerCgroup& b) {
    return a.unified == b.unified && a.controllers == b.controllers &&
           a.path == b.path;
  }
};
using ContainerCgroups = std::vector<ContainerCgroup>;

// What the cgroups use at this moment. Unset is what none counts or limits.
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

// What a memory limit did.
struct MemoryEvents {
  uint64_t kills = 0;  // processes that the kernel killed for want of memory
  // It was the container's own limit, not the machine's memory, nor the limit
  // of a cgroup above.
  bool at_limit = false;
  uint64_t peak_bytes = 0;   // the most that was in use; 0: not known
  uint64_t limit_bytes = 0;  // now; 0: none
};

// The period of the quota of cpus.
inline constexpr int64_t kCpuPeriodMicroseconds = 100000;

// The CPUs of a container, in the units of the kernel.
struct CpuLimits {
  int64_t shares = 0;  // 1024 are one CPU's
  // The part of each period; none if it is not set.
  std::optional<int64_t> quota_microseconds;
};

// Stateless.
class CgroupVersion {
 public:
  virtual ~CgroupVersion() = default;
  static const CgroupVersion& Of(const ContainerCgroup& cgroup);
  static const CgroupVersion& Of(bool unified);

  virtual int number() const = 0;

  // Making cgroups. The controllers that there are for cgroups below `above`,
  // of those that the hierarchy names (`named`). An error says why none.
  virtual absl::StatusOr<std::vector<std::string>> ControllersBelow(
      const std::string& above,
      const std::vector<std::string>& named) const = 0;
  // Why no process that is in `own` can be moved to `path`; empty if it can.
  virtual std::string WhyNoneCanJoin(const std::string& own,
                                     const std::string& path) const = 0;
  // Lets the cgroups below `above` have the controller. Why not; empty if they
  // have it.
  virtual std::string TurnOn(const std::string& above,
                             const std::string& controller) const = 0;

  // Limits. An error names the file. Unset is no limit.
  virtual absl::Status SetMemory(const std::string& path,
                                 std::optional<uint64_t> bytes) const = 0;
  virtual absl::Status SetCpus(const std::string& path,
                               const CpuLimits& limits) const = 0;

  // Counting. Sets what this cgroup counts of memory and CPUs.
  virtual void Read(const ContainerCgroup& cgroup, CgroupFiles& files,
                    CgroupUsage& usage) const = 0;
  virtual MemoryEvents ReadMemoryEvents(const std::string& path) const = 0;
  // The name of the list of its threads, and whether such a list, once open,
  // shows what is in the cgroup now, not what was at the opening.
  virtual const char* threads_file() const = 0;
  virtual bool lists_stay_current() const = 0;

  // Ending. Whether there is a process in it or below; nullopt if all below has
  // to be looked at.
  virtual std::optional<bool> IsPopulated(const std::string& path) const = 0;
  // Kills all in it and below at once. False if the kernel cannot.
  virtual bool KillAll(const std::string& path) const = 0;
};

// For the two of them: writes to a file of a cgroup. An error names it.
absl::Status SetFile(const std::string& file, absl::string_view value);
// The same, for files that some kernels do not have.
absl::Status SetFileIfThere(const std::string& file, absl::string_view value);
absl::Status CannotSet(const std::string& file, absl::string_view value,
                       int error);

// Version 1 has no word for "no limit" when it is read, but so much.
inline constexpr uint64_t kUnlimitedMemory = uint64_t{1} << 60;

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_VERSION_H_

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
#include "absl/types/span.h"
#include "external_containerizer/containerizer/posix/cgroup_files.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"

namespace external_containerizer {
namespace posix_internal {

using ContainerCgroups = std::vector<ContainerCgroup>;

bool Has(const ContainerCgroup& cgroup, absl::string_view controller);

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

  virtual int number() const = 0;

  // Making cgroups. The controllers that there are for cgroups below `above`,
  // of those that the hierarchy names (`named`). An error says why none.
  virtual absl::StatusOr<std::vector<std::string>> ControllersBelow(
      const std::string& above,
      const std::vector<std::string>& named) const = 0;
  // Why no process that is in `own` can be moved to `path`; empty if it can.
  virtual std::string WhyNoneCanJoin(const std::string& /*own*/,
                                     const std::string& /*path*/) const {
    return "";
  }
  // Lets the cgroups below `above` have the controller. Why not; empty if they
  // have it.
  virtual std::string TurnOn(const std::string& /*above*/,
                             const std::string& /*controller*/) const {
    return "";
  }

  // Limits. An error names the file. Unset is no limit.
  virtual absl::Status SetMemory(const std::string& path,
                                 std::optional<uint64_t> bytes) const = 0;
  virtual absl::Status SetCpus(const std::string& path,
                               const CpuLimits& limits) const = 0;

  // Counting. Sets what this cgroup counts and limits of memory and CPUs.
  virtual void Read(const ContainerCgroup& cgroup, CgroupFiles& files,
                    wire::ResourceStatistics& usage) const = 0;
  // Sets the fields whose names begin with memory_.
  virtual void ReadMemoryEvents(const std::string& path,
                                TaskEnd& end) const = 0;
  // The name of the list of its threads, and whether such a list, once open,
  // shows what is in the cgroup now, not what was at the opening.
  virtual const char* threads_file() const = 0;
  virtual bool lists_stay_current() const = 0;

  // Ending. Whether there is a process in it or below; nullopt if all below has
  // to be looked at.
  virtual std::optional<bool> IsPopulated(const std::string& /*path*/) const {
    return std::nullopt;
  }
  // Kills all in it and below at once. False if the kernel cannot.
  virtual bool KillAll(const std::string& /*path*/) const { return false; }
};

// The two of them.
const CgroupVersion& CgroupV1();
const CgroupVersion& CgroupV2();

// What they share: writes to a file of a cgroup. An error names it.
absl::Status SetFile(const std::string& file, absl::string_view value);
// The same, for files that some kernels do not have.
absl::Status SetFileIfThere(const std::string& file, absl::string_view value);
absl::Status CannotSet(const std::string& file, absl::string_view value,
                       int error);

// What they share: how memory is read. A file with one number, or a line of
// memory.stat, and the field that it sets.
struct MemoryFile {
  CgroupFiles::File file;
  const char* name;
  void (wire::ResourceStatistics::*set)(uint64_t);
};
struct MemoryStat {
  const char* key;
  void (wire::ResourceStatistics::*set)(uint64_t);
};
void ReadMemory(const std::string& path, absl::Span<const MemoryFile> numbers,
                absl::Span<const MemoryStat> stats, CgroupFiles& files,
                wire::ResourceStatistics& usage);

// Sets a field of a message if its value is known.
template <typename T>
void SetIf(std::optional<uint64_t> value, wire::ResourceStatistics& usage,
           void (wire::ResourceStatistics::*set)(T)) {
  if (value.has_value()) (usage.*set)(static_cast<T>(*value));
}
inline double Seconds(uint64_t microseconds) {
  return static_cast<double>(microseconds) / 1e6;
}

// Version 1 has no word for "no limit" when it is read, but so much.
inline constexpr uint64_t kUnlimitedMemory = uint64_t{1} << 60;

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_VERSION_H_

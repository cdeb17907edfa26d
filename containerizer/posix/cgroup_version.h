// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The two versions of cgroups differ in the names and meanings of their files.
// A CgroupVersion knows these. cgroup_limits.h and container_cgroups.h do the
// rest, for both versions.
//
//   const CgroupVersion& version = CgroupVersion::Of(cgroup);
//   absl::Status set = version.SetMemory(cgroup.path(), 64 << 20);
//
// The source is Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst of Linux.

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

// Returns whether the cgroup has the controller: memory, cpu, cpuacct or pids.
bool Has(const ContainerCgroup& cgroup, absl::string_view controller);

// Returns the first cgroup that has the controller, or null.
const ContainerCgroup* CgroupWith(const ContainerCgroups& cgroups,
                                  absl::string_view controller);

// The period over which the kernel enforces a maximum of CPU time.
inline constexpr int64_t kCpuPeriodMicroseconds = 100000;

// Stateless and thread-safe. A `path` is the absolute directory of a cgroup.
class CgroupVersion {
 public:
  virtual ~CgroupVersion() = default;
  static const CgroupVersion& Of(const ContainerCgroup& cgroup);

  // 1 or 2.
  virtual int number() const = 0;

  // To make cgroups:

  // Returns the controllers that cgroups below `above` can have. `named` are
  // the controllers of the hierarchy (CgroupHierarchy::controllers).
  // FAILED_PRECONDITION says why they can have none.
  virtual absl::StatusOr<std::vector<std::string>> ControllersBelow(
      const std::string& above,
      const std::vector<std::string>& named) const = 0;
  // Returns why a process of the cgroup `own` cannot be moved to `path`; empty
  // if it can.
  virtual std::string WhyNoneCanJoin(const std::string& /*own*/,
                                     const std::string& /*path*/) const {
    return "";
  }
  // Turns the controller on for the cgroups below `above`. Returns why that
  // failed; empty if they have it.
  virtual std::string TurnOn(const std::string& /*above*/,
                             const std::string& /*controller*/) const {
    return "";
  }

  // To limit:

  // Set a limit; nullopt takes it away. FAILED_PRECONDITION names the file that
  // cannot be set.
  virtual absl::Status SetMemory(const std::string& path,
                                 std::optional<uint64_t> bytes) const = 0;
  // `shares` are 1024 for one CPU. `quota_microseconds` is the maximum in each
  // period.
  virtual absl::Status SetCpus(
      const std::string& path, int64_t shares,
      std::optional<int64_t> quota_microseconds) const = 0;

  // To count:

  // Sets the fields of memory and CPUs that this cgroup counts or limits.
  virtual void Read(const ContainerCgroup& cgroup, CgroupFiles& files,
                    wire::ResourceStatistics& usage) const = 0;
  // Sets the fields of `end` whose names begin with memory_.
  virtual void ReadMemoryEvents(const std::string& path,
                                TaskEnd& end) const = 0;
  // The name of the file that lists the threads.
  virtual const char* threads_file() const = 0;
  // Whether a list of processes or threads that is open shows newcomers. If
  // not, it shows the processes at the time of opening.
  virtual bool lists_stay_current() const = 0;

  // To end:

  // Returns whether the cgroup or one below it has a process. nullopt if only
  // the list of each cgroup tells.
  virtual std::optional<bool> IsPopulated(const std::string& /*path*/) const {
    return std::nullopt;
  }
  // Kills all processes in the cgroup and below. False if the kernel has no
  // file for that.
  virtual bool KillAll(const std::string& /*path*/) const { return false; }
};

// The two versions. They live as long as the process.
const CgroupVersion& CgroupV1();
const CgroupVersion& CgroupV2();

// The rest is for the two versions.

// Writes to a file of a cgroup. FAILED_PRECONDITION names the file.
absl::Status SetFile(const std::string& file, absl::string_view value);
// The same, but OK if the kernel does not have the file.
absl::Status SetFileIfThere(const std::string& file, absl::string_view value);
// The error of these two. `error` is the errno.
absl::Status CannotSet(const std::string& file, absl::string_view value,
                       int error);

// A file that holds one number about memory, and the field for it.
struct MemoryFile {
  CgroupFiles::File file;
  const char* name;
  void (wire::ResourceStatistics::*set)(uint64_t);
};
// A line of memory.stat, and the field for it.
struct MemoryStat {
  const char* key;
  void (wire::ResourceStatistics::*set)(uint64_t);
};
// Sets the fields whose numbers are known. kUnlimitedMemory and more is
// unknown.
void ReadMemory(const std::string& path, absl::Span<const MemoryFile> numbers,
                absl::Span<const MemoryStat> stats, CgroupFiles& files,
                wire::ResourceStatistics& usage);

// Sets a field of `usage` if `value` is known.
template <typename T>
void SetIf(std::optional<uint64_t> value, wire::ResourceStatistics& usage,
           void (wire::ResourceStatistics::*set)(T)) {
  if (value.has_value()) (usage.*set)(static_cast<T>(*value));
}
inline double Seconds(uint64_t microseconds) {
  return static_cast<double>(microseconds) / 1e6;
}

// Version 1 reports this number, or a larger one, for "no limit".
inline constexpr uint64_t kUnlimitedMemory = uint64_t{1} << 60;

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_VERSION_H_

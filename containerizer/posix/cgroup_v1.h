// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_V1_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_V1_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/posix/cgroup_files.h"
#include "external_containerizer/containerizer/posix/cgroup_version.h"

namespace external_containerizer {
namespace posix_internal {

// Version 1: a hierarchy for each controller, or for a few.
class CgroupV1 : public CgroupVersion {
 public:
  int number() const override { return 1; }
  absl::StatusOr<std::vector<std::string>> ControllersBelow(
      const std::string& above,
      const std::vector<std::string>& named) const override;
  std::string WhyNoneCanJoin(const std::string& own,
                             const std::string& path) const override;
  std::string TurnOn(const std::string& above,
                     const std::string& controller) const override;
  absl::Status SetMemory(const std::string& path,
                         std::optional<uint64_t> bytes) const override;
  absl::Status SetCpus(const std::string& path,
                       const CpuLimits& limits) const override;
  void Read(const ContainerCgroup& cgroup, CgroupFiles& files,
            CgroupUsage& usage) const override;
  MemoryEvents ReadMemoryEvents(const std::string& path) const override;
  const char* threads_file() const override { return "tasks"; }
  bool lists_stay_current() const override { return false; }
  std::optional<bool> IsPopulated(const std::string& path) const override;
  bool KillAll(const std::string& path) const override;
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CGROUP_V1_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/cgroup_version.h"

#include <errno.h>
#include <string.h>

#include <algorithm>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "external_containerizer/containerizer/posix/small_files.h"

namespace external_containerizer {
namespace posix_internal {

bool Has(const ContainerCgroup& cgroup, absl::string_view controller) {
  return std::find(cgroup.controllers().begin(), cgroup.controllers().end(),
                   controller) != cgroup.controllers().end();
}

const ContainerCgroup* CgroupWith(const ContainerCgroups& cgroups,
                                  absl::string_view controller) {
  for (const ContainerCgroup& cgroup : cgroups) {
    if (Has(cgroup, controller)) return &cgroup;
  }
  return nullptr;
}

const CgroupVersion& CgroupVersion::Of(const ContainerCgroup& cgroup) {
  return cgroup.unified() ? CgroupV2() : CgroupV1();
}

absl::Status CannotSet(const std::string& file, absl::string_view value,
                       int error) {
  return absl::FailedPreconditionError(
      absl::StrCat("cannot set ", file, " to ", value, ": ", strerror(error)));
}

absl::Status SetFile(const std::string& file, absl::string_view value) {
  const int error = WriteSmallFile(file, std::string(value));
  return error == 0 ? absl::OkStatus() : CannotSet(file, value, error);
}

absl::Status SetFileIfThere(const std::string& file, absl::string_view value) {
  const int error = WriteSmallFile(file, std::string(value));
  return error == 0 || error == ENOENT ? absl::OkStatus()
                                       : CannotSet(file, value, error);
}

void ReadMemory(const std::string& path, absl::Span<const MemoryFile> numbers,
                absl::Span<const MemoryStat> stats, CgroupFiles& files,
                wire::ResourceStatistics& usage) {
  for (const MemoryFile& number : numbers) {
    const auto value = files.Number(number.file, path, number.name);
    if (value.value_or(0) < kUnlimitedMemory) SetIf(value, usage, number.set);
  }
  const absl::string_view stat =
      files.Text(CgroupFiles::kMemoryStat, path, "memory.stat");
  for (const MemoryStat& field : stats) {
    SetIf(NumberAfter(stat, field.key), usage, field.set);
  }
}

}  // namespace posix_internal
}  // namespace external_containerizer

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
#include "external_containerizer/containerizer/posix/cgroup_v1.h"
#include "external_containerizer/containerizer/posix/cgroup_v2.h"
#include "external_containerizer/containerizer/posix/small_files.h"

namespace external_containerizer {
namespace posix_internal {

bool ContainerCgroup::Has(absl::string_view controller) const {
  return std::find(controllers.begin(), controllers.end(), controller) !=
         controllers.end();
}

const CgroupVersion& CgroupVersion::Of(bool unified) {
  static const CgroupV1& one = *new CgroupV1;
  static const CgroupV2& two = *new CgroupV2;
  if (unified) return two;
  return one;
}

const CgroupVersion& CgroupVersion::Of(const ContainerCgroup& cgroup) {
  return Of(cgroup.unified);
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

}  // namespace posix_internal
}  // namespace external_containerizer

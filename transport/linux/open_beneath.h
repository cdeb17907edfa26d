// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Opens what lies below a directory in which others may have planted anything.
//
//   const UniqueFd file =
//       OpenBeneath(root, "containers/one/stdout", O_RDONLY | O_NONBLOCK);
//   if (!file.valid()) return absl::ErrnoToStatus(errno, "stdout");

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_OPEN_BENEATH_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_OPEN_BENEATH_H_

#include <sys/types.h>

#include <string>

#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {

enum class Mounts {
  kEnter,
  kRefuse,  // EXDEV if `path` is, or leads over, a mount point.
};

// As openat(), but no symbolic link in `path` is followed, and none is opened:
// ELOOP. `path` is relative and has no "..": else EXDEV. The descriptor is
// close-on-exec. Invalid, with errno set, on failure. Opening may block, or do
// something to a device, unless `flags` say O_NONBLOCK or O_PATH.
UniqueFd OpenBeneath(int directory, const std::string& path, int flags,
                     mode_t mode = 0, Mounts mounts = Mounts::kEnter);

// What OpenBeneath() does where there is no openat2(): before Linux 5.6, and
// where a filter of system calls does not know it.
UniqueFd OpenBeneathStepwise(int directory, const std::string& path, int flags,
                             mode_t mode = 0, Mounts mounts = Mounts::kEnter);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_OPEN_BENEATH_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Opens files below a directory in which other users may have made links.
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

// Opens `path` as openat(), but follows and opens no symbolic link: it fails
// with ELOOP. `path` is relative and has no "..", otherwise it fails with
// EXDEV. The descriptor is close-on-exec; it is invalid, with errno, on
// failure. Opening may block, or change the state of a device, unless `flags`
// have O_NONBLOCK or O_PATH.
UniqueFd OpenBeneath(int directory, const std::string& path, int flags,
                     mode_t mode = 0, Mounts mounts = Mounts::kEnter);

// The implementation of OpenBeneath() without openat2(): before Linux 5.6, and
// under a filter of system calls that rejects it.
UniqueFd OpenBeneathStepwise(int directory, const std::string& path, int flags,
                             mode_t mode = 0, Mounts mounts = Mounts::kEnter);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_OPEN_BENEATH_H_

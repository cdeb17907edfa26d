// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The one way in which files are opened here.

#ifndef EXTERNAL_CONTAINERIZER_STATE_OPEN_BENEATH_H_
#define EXTERNAL_CONTAINERIZER_STATE_OPEN_BENEATH_H_

#include <sys/types.h>

#include <string>

namespace external_containerizer {
namespace state {

// As openat(), but `path` cannot lead out of `directory`, not by "..", not by
// being absolute, and no symbolic link in it is followed: ELOOP if there is
// one, EXDEV if it leads out. The descriptor is close-on-exec. -1 and errno.
int OpenBeneath(int directory, const std::string& path, int flags,
                mode_t mode = 0);

}  // namespace state
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_STATE_OPEN_BENEATH_H_

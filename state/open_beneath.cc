// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/state/open_beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <string>

namespace external_containerizer {
namespace state {

namespace {

// Then, and if no link is followed, it cannot lead out, and the kernel need not
// watch where it goes, which takes time.
bool IsPlainlyBeneath(const std::string& path) {
  return !path.empty() && path[0] != '/' && path.find("..") == path.npos;
}

}  // namespace

int OpenBeneath(int directory, const std::string& path, int flags,
                mode_t mode) {
  struct open_how how = {};
  how.flags = static_cast<uint64_t>(flags | O_CLOEXEC | O_NOFOLLOW);
  how.mode = mode;
  how.resolve = RESOLVE_NO_SYMLINKS;
  if (!IsPlainlyBeneath(path)) how.resolve |= RESOLVE_BENEATH;
  for (;;) {
    // glibc has no wrapper for it.
    const long fd =
        syscall(SYS_openat2, directory, path.c_str(), &how, sizeof(how));
    if (fd >= 0) return static_cast<int>(fd);
    if (errno != EINTR) return -1;
  }
}

}  // namespace state
}  // namespace external_containerizer

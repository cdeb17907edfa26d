// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What the processes of a container use, from /proc.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TREE_USAGE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TREE_USAGE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/process_identity.h"

namespace external_containerizer {
namespace posix_internal {

struct TreeUsage {
  double user_seconds = 0;  // also of processes that ended and were reaped
  double system_seconds = 0;
  uint64_t rss_bytes = 0;  // what processes share counts once for each
  uint32_t processes = 0;  // without zombies
  uint32_t threads = 0;
};

TreeUsage UsageOf(const std::vector<ProcStat>& processes);

// Of all processes below `supervisor`, and of all that it has reaped, but not
// of itself; nullopt if it has ended.
std::optional<TreeUsage> UsageBelow(const ProcessIdentity& supervisor);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TREE_USAGE_H_

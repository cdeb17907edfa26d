// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// What the processes of a container use, from /proc.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TREE_USAGE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TREE_USAGE_H_

#include <optional>
#include <vector>

#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/process_identity.h"

namespace external_containerizer {
namespace posix_internal {

// The time of all of them, and memory, processes and threads without zombies.
// What processes share counts once for each.
wire::ResourceStatistics UsageOf(const std::vector<ProcStat>& processes);

// Of all processes below `supervisor`, and the time of all that it has reaped,
// but nothing of itself; nullopt if it has ended.
std::optional<wire::ResourceStatistics> UsageBelow(
    const ProcessIdentity& supervisor);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TREE_USAGE_H_

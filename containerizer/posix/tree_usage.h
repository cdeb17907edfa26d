// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Measures the processes of a container by /proc, for containers without
// cgroups.
//
//   const std::optional<wire::ResourceStatistics> usage =
//       UsageBelow(records.launch->supervisor);
//
// CPU time is exact to a clock tick. Memory that processes share counts once
// for each of them.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TREE_USAGE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TREE_USAGE_H_

#include <optional>
#include <vector>

#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/process_identity.h"

namespace external_containerizer {
namespace posix_internal {

// Adds up what the processes use. A zombie counts for its time alone.
wire::ResourceStatistics UsageOf(const std::vector<ProcStat>& processes);

// Adds up what all processes below `supervisor` use, and the time of those that
// it has reaped. What it uses itself does not count. nullopt if it has ended.
std::optional<wire::ResourceStatistics> UsageBelow(
    const ProcessIdentity& supervisor);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_TREE_USAGE_H_

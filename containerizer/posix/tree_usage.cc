// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/tree_usage.h"

#include <unistd.h>

#include <optional>
#include <vector>

#include "external_containerizer/containerizer/posix/process_tree.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

constexpr int kAttempts = 3;

double Seconds(uint64_t ticks) {
  return static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

TreeUsage UsageOf(const std::vector<ProcStat>& processes) {
  TreeUsage usage;
  uint64_t user = 0;
  uint64_t system = 0;
  for (const ProcStat& process : processes) {
    user += process.user_ticks + process.children_user_ticks;
    system += process.system_ticks + process.children_system_ticks;
    if (process.state == 'Z') continue;
    usage.rss_bytes += process.rss_bytes;
    usage.threads += static_cast<uint32_t>(process.threads);
    ++usage.processes;
  }
  usage.user_seconds = Seconds(user);
  usage.system_seconds = Seconds(system);
  return usage;
}

std::optional<TreeUsage> UsageBelow(const ProcessIdentity& supervisor) {
  std::optional<ProcStat> before = ReadProcStat(supervisor.pid);
  for (int attempt = 1;; ++attempt) {
    // Nobody is below a zombie, which may stay for a while.
    if (!before.has_value() || before->start_ticks != supervisor.start_ticks ||
        before->state == 'Z') {
      return std::nullopt;
    }
    const std::vector<ProcStat> processes = Descendants(supervisor.pid);
    const std::optional<ProcStat> after = ReadProcStat(supervisor.pid);
    // Time moves from a process to who reaps it: if that happened during the
    // walk, it may have been seen at neither.
    if (!after.has_value() || after->start_ticks != supervisor.start_ticks ||
        after->state == 'Z') {
      return std::nullopt;
    }
    const bool moved =
        after->children_user_ticks != before->children_user_ticks ||
        after->children_system_ticks != before->children_system_ticks;
    if (moved && attempt < kAttempts) {
      before = after;
      continue;
    }
    TreeUsage usage = UsageOf(processes);
    usage.user_seconds += Seconds(after->children_user_ticks);
    usage.system_seconds += Seconds(after->children_system_ticks);
    return usage;
  }
}

}  // namespace posix_internal
}  // namespace external_containerizer

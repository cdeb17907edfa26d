// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/tree_usage.h"

#include <unistd.h>

#include <cstdint>
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

wire::ResourceStatistics UsageOf(const std::vector<ProcStat>& processes) {
  uint64_t user = 0;
  uint64_t system = 0;
  uint64_t rss = 0;
  uint64_t threads = 0;
  uint32_t running = 0;
  for (const ProcStat& process : processes) {
    user += process.user_ticks + process.children_user_ticks;
    system += process.system_ticks + process.children_system_ticks;
    if (process.state == 'Z') continue;
    rss += process.rss_bytes;
    threads += process.threads;
    ++running;
  }
  wire::ResourceStatistics usage;
  usage.set_cpus_user_time_secs(Seconds(user));
  usage.set_cpus_system_time_secs(Seconds(system));
  usage.set_mem_rss_bytes(rss);
  usage.set_processes(running);
  usage.set_threads(static_cast<uint32_t>(threads));
  return usage;
}

std::optional<wire::ResourceStatistics> UsageBelow(
    const ProcessIdentity& supervisor) {
  std::optional<ProcStat> before = ReadProcStat(supervisor.pid);
  for (int attempt = 1;; ++attempt) {
    // A zombie has no children, and may stay for a while.
    if (!before.has_value() || before->start_ticks != supervisor.start_ticks ||
        before->state == 'Z') {
      return std::nullopt;
    }
    const std::vector<ProcStat> processes = Descendants(supervisor.pid);
    const std::optional<ProcStat> after = ReadProcStat(supervisor.pid);
    // The time of a process moves to its parent when that reaps it. If that
    // happened during the walk, the time may be missing.
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
    wire::ResourceStatistics usage = UsageOf(processes);
    usage.set_cpus_user_time_secs(usage.cpus_user_time_secs() +
                                  Seconds(after->children_user_ticks));
    usage.set_cpus_system_time_secs(usage.cpus_system_time_secs() +
                                    Seconds(after->children_system_ticks));
    return usage;
  }
}

}  // namespace posix_internal
}  // namespace external_containerizer

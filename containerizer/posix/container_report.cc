// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_report.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/transport/linux/process_identity.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

double Seconds(uint64_t microseconds) {
  return static_cast<double>(microseconds) / 1e6;
}

std::string Mebibytes(uint64_t bytes) {
  const double amount = static_cast<double>(bytes) / (1 << 20);
  return bytes % (1 << 20) == 0 ? absl::StrFormat("%.0f MiB", amount)
                                : absl::StrFormat("%.1f MiB", amount);
}

// "memory limit of 64 MiB reached: at most 63.9 MiB were in use, and the kernel
// killed 1 of its processes".
std::string KillText(const MemoryEvents& memory) {
  if (!memory.at_limit) {
    return absl::StrCat(
        "the machine, or a cgroup above its own, was out of "
        "memory: the kernel killed ",
        memory.kills, " of its processes");
  }
  std::string text = "memory limit";
  if (memory.limit_bytes > 0) {
    absl::StrAppend(&text, " of ", Mebibytes(memory.limit_bytes));
  }
  absl::StrAppend(&text, " reached: ");
  if (memory.peak_bytes > 0) {
    absl::StrAppend(&text, "at most ", Mebibytes(memory.peak_bytes),
                    " were in use, and ");
  }
  absl::StrAppend(&text, "the kernel killed ", memory.kills,
                  " of its processes");
  return text;
}

void AddReason(const MemoryEvents& memory, wire::Termination& termination) {
  if (memory.kills > 0 && memory.at_limit) {
    termination.set_killed(true);
    termination.add_reasons(
        wire::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
  } else {
    termination.add_reasons(wire::TaskStatus::REASON_EXECUTOR_TERMINATED);
  }
}

template <typename Statistics, typename T>
void SetIf(const std::optional<T>& value, Statistics* statistics,
           void (Statistics::*set)(T)) {
  if (value.has_value()) (statistics->*set)(*value);
}

}  // namespace

wire::Termination TerminationOf(const EndRecord& end) {
  wire::Termination termination = wire::MakeTermination(end.wait_status, "");
  const wire::Exit exit = wire::ExitOf(termination);
  termination.set_message(
      absl::StrCat(end.destroyed ? "destroyed: " : "",
                   end.memory.kills > 0 ? KillText(end.memory) + "; " : "",
                   exit.ToString()));
  if (end.destroyed) {
    termination.set_state(wire::TASK_KILLED);
  } else if (exit == wire::Exit{wire::Exit::Kind::kExited, 0}) {
    termination.set_state(wire::TASK_FINISHED);
  } else {
    termination.set_state(wire::TASK_FAILED);
    AddReason(end.memory, termination);
  }
  return termination;
}

wire::Termination UnseenTermination(const LaunchRecord& launch,
                                    const MemoryEvents& memory) {
  wire::Termination termination;
  termination.set_killed(false);
  std::string message =
      launch.supervisor.boot_id == BootId()
          ? "ended, but its supervisor was killed before it could record how"
          : "ended when the machine was rebooted";
  if (memory.kills > 0) absl::StrAppend(&message, "; ", KillText(memory));
  termination.set_message(message);
  termination.set_state(wire::TASK_FAILED);
  AddReason(memory, termination);
  return termination;
}

void SetStatistics(const TreeUsage& usage,
                   wire::ResourceStatistics* statistics) {
  statistics->set_cpus_user_time_secs(usage.user_seconds);
  statistics->set_cpus_system_time_secs(usage.system_seconds);
  statistics->set_mem_rss_bytes(usage.rss_bytes);
  statistics->set_processes(usage.processes);
  statistics->set_threads(usage.threads);
}

void SetStatistics(const CgroupUsage& usage,
                   wire::ResourceStatistics* statistics) {
  using S = wire::ResourceStatistics;
  if (usage.user_microseconds.has_value()) {
    statistics->set_cpus_user_time_secs(Seconds(*usage.user_microseconds));
    statistics->set_cpus_system_time_secs(
        Seconds(usage.system_microseconds.value_or(0)));
  }
  if (usage.periods.has_value()) {
    statistics->set_cpus_nr_periods(static_cast<uint32_t>(*usage.periods));
    statistics->set_cpus_nr_throttled(
        static_cast<uint32_t>(usage.throttled_periods.value_or(0)));
    statistics->set_cpus_throttled_time_secs(
        Seconds(usage.throttled_microseconds.value_or(0)));
  }
  SetIf(usage.anonymous_bytes, statistics, &S::set_mem_rss_bytes);
  SetIf(usage.anonymous_bytes, statistics, &S::set_mem_anon_bytes);
  SetIf(usage.file_bytes, statistics, &S::set_mem_file_bytes);
  SetIf(usage.file_bytes, statistics, &S::set_mem_cache_bytes);
  SetIf(usage.mapped_file_bytes, statistics, &S::set_mem_mapped_file_bytes);
  SetIf(usage.swap_bytes, statistics, &S::set_mem_swap_bytes);
  SetIf(usage.unevictable_bytes, statistics, &S::set_mem_unevictable_bytes);
  SetIf(usage.memory_bytes, statistics, &S::set_mem_total_bytes);
  SetIf(usage.memory_and_swap_bytes, statistics, &S::set_mem_total_memsw_bytes);
  SetIf(usage.memory_limit_bytes, statistics, &S::set_mem_limit_bytes);
  SetIf(usage.memory_soft_limit_bytes, statistics,
        &S::set_mem_soft_limit_bytes);
  SetIf(usage.processes, statistics, &S::set_processes);
  SetIf(usage.threads, statistics, &S::set_threads);
}

void SetStatistics(const EndRecord& end, wire::ResourceStatistics* statistics) {
  statistics->set_cpus_user_time_secs(Seconds(end.user_microseconds));
  statistics->set_cpus_system_time_secs(Seconds(end.system_microseconds));
  statistics->set_mem_rss_bytes(end.max_rss_bytes);
  statistics->set_processes(0);
  statistics->set_threads(0);
  if (end.memory.peak_bytes > 0) {
    statistics->set_mem_total_bytes(end.memory.peak_bytes);
  }
  if (end.memory.limit_bytes > 0) {
    statistics->set_mem_limit_bytes(end.memory.limit_bytes);
  }
  if (end.periods > 0) {
    statistics->set_cpus_nr_periods(static_cast<uint32_t>(end.periods));
    statistics->set_cpus_nr_throttled(
        static_cast<uint32_t>(end.throttled_periods));
    statistics->set_cpus_throttled_time_secs(
        Seconds(end.throttled_microseconds));
  }
}

}  // namespace posix_internal
}  // namespace external_containerizer

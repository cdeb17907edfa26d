// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_report.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "external_containerizer/containerizer/wire/exit.h"
#include "external_containerizer/transport/linux/process_identity.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

std::string Mebibytes(uint64_t bytes) {
  const double amount = static_cast<double>(bytes) / (1 << 20);
  return bytes % (1 << 20) == 0 ? absl::StrFormat("%.0f MiB", amount)
                                : absl::StrFormat("%.1f MiB", amount);
}

// "memory limit of 64 MiB reached: at most 63.9 MiB were in use, and the kernel
// killed 1 of its processes".
std::string KillText(const TaskEnd& end) {
  if (end.memory_at_limit() == 0) {
    return absl::StrCat(
        "the machine, or a cgroup above its own, was out of "
        "memory: the kernel killed ",
        end.memory_kills(), " of its processes");
  }
  std::string text = "memory limit";
  if (end.memory_limit_bytes() > 0) {
    absl::StrAppend(&text, " of ", Mebibytes(end.memory_limit_bytes()));
  }
  absl::StrAppend(&text, " reached: ");
  if (end.memory_peak_bytes() > 0) {
    absl::StrAppend(&text, "at most ", Mebibytes(end.memory_peak_bytes()),
                    " were in use, and ");
  }
  absl::StrAppend(&text, "the kernel killed ", end.memory_kills(),
                  " of its processes");
  return text;
}

void AddReason(const TaskEnd& end, wire::Termination& termination) {
  if (end.memory_kills() > 0 && end.memory_at_limit() != 0) {
    termination.set_killed(true);
    termination.add_reasons(
        wire::TaskStatus::REASON_CONTAINER_LIMITATION_MEMORY);
  } else {
    termination.add_reasons(wire::TaskStatus::REASON_EXECUTOR_TERMINATED);
  }
}

}  // namespace

wire::Termination TerminationOf(const TaskEnd& end) {
  wire::Termination termination =
      wire::MakeTermination(static_cast<int>(end.wait_status()), "");
  const wire::Exit exit = wire::ExitOf(termination);
  termination.set_message(absl::StrCat(
      end.destroyed() != 0 ? "destroyed: " : "",
      end.memory_kills() > 0 ? KillText(end) + "; " : "", exit.ToString()));
  if (end.destroyed() != 0) {
    termination.set_state(wire::TASK_KILLED);
  } else if (exit == wire::Exit{wire::Exit::Kind::kExited, 0}) {
    termination.set_state(wire::TASK_FINISHED);
  } else {
    termination.set_state(wire::TASK_FAILED);
    AddReason(end, termination);
  }
  return termination;
}

wire::Termination UnseenTermination(const LaunchRecord& launch,
                                    const TaskEnd& end) {
  wire::Termination termination;
  termination.set_killed(false);
  std::string message =
      launch.supervisor.boot_id == BootId()
          ? "ended, but its supervisor was killed before it could record how"
          : "ended when the machine was rebooted";
  if (end.memory_kills() > 0) absl::StrAppend(&message, "; ", KillText(end));
  termination.set_message(message);
  termination.set_state(wire::TASK_FAILED);
  AddReason(end, termination);
  return termination;
}

void SetStatistics(const TaskEnd& end, wire::ResourceStatistics* statistics) {
  statistics->set_cpus_user_time_secs(Seconds(end.user_microseconds()));
  statistics->set_cpus_system_time_secs(Seconds(end.system_microseconds()));
  statistics->set_mem_rss_bytes(end.max_rss_bytes());
  statistics->set_processes(0);
  statistics->set_threads(0);
  if (end.memory_peak_bytes() > 0) {
    statistics->set_mem_total_bytes(end.memory_peak_bytes());
  }
  if (end.memory_limit_bytes() > 0) {
    statistics->set_mem_limit_bytes(end.memory_limit_bytes());
  }
  if (end.periods() > 0) {
    statistics->set_cpus_nr_periods(static_cast<uint32_t>(end.periods()));
    statistics->set_cpus_nr_throttled(
        static_cast<uint32_t>(end.throttled_periods()));
    statistics->set_cpus_throttled_time_secs(
        Seconds(end.throttled_microseconds()));
  }
}

}  // namespace posix_internal
}  // namespace external_containerizer

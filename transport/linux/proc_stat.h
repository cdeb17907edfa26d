// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What /proc/PID/stat tells of a process.
//
//   const std::optional<ProcStat> stat = ReadProcStat(pid);
//   if (stat.has_value() && stat->state != 'Z') ...

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROC_STAT_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROC_STAT_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace external_containerizer {

// Times are in clock ticks: sysconf(_SC_CLK_TCK) of them are a second.
struct ProcStat {
  pid_t pid = 0;
  char state = '?';  // 'Z': ended and not yet reaped.
  pid_t parent = 0;
  pid_t session = 0;
  uint64_t user_ticks = 0;
  uint64_t system_ticks = 0;
  // What the children that it has reaped used, with theirs.
  uint64_t children_user_ticks = 0;
  uint64_t children_system_ticks = 0;
  uint64_t threads = 0;
  uint64_t start_ticks = 0;  // Since the boot.
  uint64_t rss_bytes = 0;
};

// `line` is the whole file. The name of a process may hold anything, also
// parentheses and newlines. nullopt if it is no such file.
std::optional<ProcStat> ParseProcStat(const std::string& line);

// nullopt, with errno set, if there is no such process (ENOENT, ESRCH), or no
// descriptor or memory. A zombie is one.
std::optional<ProcStat> ReadProcStat(pid_t pid);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROC_STAT_H_

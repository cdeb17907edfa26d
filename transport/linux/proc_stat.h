// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Reads /proc/PID/stat.
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
  // Used by the children that the process has reaped, and by theirs.
  uint64_t children_user_ticks = 0;
  uint64_t children_system_ticks = 0;
  uint64_t threads = 0;
  uint64_t start_ticks = 0;  // Since the boot.
  uint64_t rss_bytes = 0;
};

// Parses the whole file. The name of a process may hold any bytes, also
// parentheses and newlines. Returns nullopt if `line` is not in that format.
std::optional<ProcStat> ParseProcStat(const std::string& line);

// Reads the file of one process, which may be a zombie. Returns nullopt, with
// errno, if the process does not exist (ENOENT, ESRCH) or this process has no
// descriptor or memory left.
std::optional<ProcStat> ReadProcStat(pid_t pid);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_LINUX_PROC_STAT_H_

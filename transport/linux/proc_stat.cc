// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/linux/proc_stat.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {

std::optional<ProcStat> ParseProcStat(const std::string& line) {
  ProcStat stat;
  stat.pid = static_cast<pid_t>(strtol(line.c_str(), nullptr, 10));
  const size_t name_end = line.rfind(')');
  if (stat.pid <= 0 || name_end == std::string::npos) return std::nullopt;
  // Fields 3 to 24, as proc(5) counts them.
  unsigned long long user = 0, system = 0, start = 0;
  long long children_user = 0, children_system = 0, threads = 0, rss_pages = 0;
  if (sscanf(line.c_str() + name_end + 1,
             " %c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld "
             "%*d %*d %lld %*d %llu %*u %lld",
             &stat.state, &stat.parent, &stat.session, &user, &system,
             &children_user, &children_system, &threads, &start,
             &rss_pages) != 10) {
    return std::nullopt;
  }
  // A zombie has the state X while it is reaped.
  if (stat.state == 'X') stat.state = 'Z';
  stat.start_ticks = start;
  stat.user_ticks = user;
  stat.system_ticks = system;
  stat.children_user_ticks = static_cast<uint64_t>(children_user);
  stat.children_system_ticks = static_cast<uint64_t>(children_system);
  stat.threads = static_cast<uint64_t>(threads);
  stat.rss_bytes = static_cast<uint64_t>(rss_pages) *
                   static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return stat;
}

std::optional<ProcStat> ReadProcStat(pid_t pid) {
  char path[32];
  snprintf(path, sizeof(path), "/proc/%d/stat", pid);
  const UniqueFd file(open(path, O_RDONLY | O_CLOEXEC));
  if (!file.valid()) return std::nullopt;
  // 52 numbers and a name of at most 64 bytes. /proc gives it in one piece.
  char text[2048];
  ssize_t size;
  do {
    size = read(file.get(), text, sizeof(text));
  } while (size < 0 && errno == EINTR);
  if (size <= 0) return std::nullopt;
  return ParseProcStat(std::string(text, static_cast<size_t>(size)));
}

}  // namespace external_containerizer

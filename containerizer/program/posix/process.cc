// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/program/posix/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <set>
#include <string>
#include <utility>
#include <vector>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

namespace external_containerizer {
namespace posix_internal {
namespace {

// Far above what a stat line or a list of children needs; an environment can
// be 6 MiB.
constexpr size_t kMaxProcFile = 8 << 20;

std::optional<std::string> ReadProcFile(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  std::string contents;
  char buffer[4096];
  while (contents.size() < kMaxProcFile) {
    const ssize_t n = read(fd.get(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) break;
    contents.append(buffer, static_cast<size_t>(n));
  }
  return contents;
}

std::string ProcPath(pid_t pid, const char* rest) {
  return "/proc/" + std::to_string(pid) + rest;
}

// The entries of a directory of /proc that are numbers.
std::optional<std::vector<pid_t>> NumbersIn(const std::string& path) {
  std::vector<pid_t> numbers;
  DIR* dir = opendir(path.c_str());
  if (dir == nullptr) return std::nullopt;
  while (const dirent* entry = readdir(dir)) {
    char* end = nullptr;
    const long number = strtol(entry->d_name, &end, 10);
    if (*end == '\0' && number > 0) {
      numbers.push_back(static_cast<pid_t>(number));
    }
  }
  closedir(dir);
  return numbers;
}

std::vector<pid_t> ChildrenOf(pid_t pid) {
  std::vector<pid_t> children;
  // A child belongs to the thread that forked it.
  const std::string tasks = ProcPath(pid, "/task");
  for (pid_t thread : NumbersIn(tasks).value_or(std::vector<pid_t>())) {
    const std::optional<std::string> list =
        ReadProcFile(tasks + "/" + std::to_string(thread) + "/children");
    if (!list.has_value()) continue;
    const char* position = list->c_str();
    while (true) {
      char* end = nullptr;
      const long child = strtol(position, &end, 10);
      if (end == position) break;
      children.push_back(static_cast<pid_t>(child));
      position = end;
    }
  }
  return children;
}

bool Holds(const std::string& environment, const std::string& variable) {
  const size_t position = environment.find(variable + '\0');
  return position != std::string::npos &&
         (position == 0 || environment[position - 1] == '\0');
}

void AppendDescendants(pid_t root, std::set<pid_t>& seen,
                       std::vector<ProcessStat>& found) {
  std::vector<pid_t> queue = {root};
  for (size_t i = 0; i < queue.size(); ++i) {
    for (pid_t child : ChildrenOf(queue[i])) {
      if (!seen.insert(child).second) continue;
      std::optional<ProcessStat> stat = ReadProcessStat(child);
      if (!stat.has_value()) continue;
      found.push_back(*stat);
      queue.push_back(child);
    }
  }
}

}  // namespace

std::optional<ProcessStat> ParseProcessStat(const std::string& line) {
  ProcessStat stat;
  char* end = nullptr;
  stat.id.pid = static_cast<pid_t>(strtol(line.c_str(), &end, 10));
  const size_t name_end = line.rfind(')');
  if (stat.id.pid <= 0 || name_end == std::string::npos) return std::nullopt;
  // Fields 3 to 24, as proc(5) counts them.
  unsigned long long user = 0, system = 0, start = 0;
  long long children_user = 0, children_system = 0, threads = 0, rss_pages = 0;
  if (sscanf(line.c_str() + name_end + 1,
             " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld "
             "%*d %*d %lld %*d %llu %*u %lld",
             &stat.state, &user, &system, &children_user, &children_system,
             &threads, &start, &rss_pages) != 8) {
    return std::nullopt;
  }
  stat.id.start_ticks = start;
  stat.user_ticks = user;
  stat.system_ticks = system;
  stat.children_user_ticks = static_cast<uint64_t>(children_user);
  stat.children_system_ticks = static_cast<uint64_t>(children_system);
  stat.threads = static_cast<uint64_t>(threads);
  stat.rss_bytes = static_cast<uint64_t>(rss_pages) *
                   static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return stat;
}

std::optional<ProcessStat> ReadProcessStat(pid_t pid) {
  const std::optional<std::string> line = ReadProcFile(ProcPath(pid, "/stat"));
  if (!line.has_value()) return std::nullopt;
  return ParseProcessStat(*line);
}

std::string ReadBootId() {
  const auto read = [] {
    std::string id =
        ReadProcFile("/proc/sys/kernel/random/boot_id").value_or("");
    while (!id.empty() && id.back() == '\n') id.pop_back();
    return id;
  };
  // It does not change while we live; a helper asks for it all the time.
  static const std::string* const known = new std::string(read());
  return known->empty() ? read() : *known;
}

UniqueFd OpenProcess(const ProcessId& id) {
  errno = ESRCH;
  if (id.pid <= 0) return UniqueFd();
  // pidfds are close-on-exec from the start.
  UniqueFd fd(static_cast<int>(syscall(SYS_pidfd_open, id.pid, 0)));
  if (!fd.valid()) return fd;
  // In this order: what the descriptor names cannot change any more, so if the
  // pid still has the right start time, it is the right process.
  const std::optional<ProcessStat> stat = ReadProcessStat(id.pid);
  if (stat.has_value() && stat->id == id) return fd;
  if (stat.has_value() || errno == ENOENT) errno = ESRCH;
  const int error = errno;
  fd.Reset();
  errno = error;
  return fd;
}

bool SignalProcess(const ProcessId& id, int signal) {
  const UniqueFd fd = OpenProcess(id);
  return fd.valid() &&
         syscall(SYS_pidfd_send_signal, fd.get(), signal, nullptr, 0) == 0;
}

std::vector<ProcessStat> Descendants(pid_t root) {
  std::vector<ProcessStat> found;
  std::set<pid_t> seen = {root};
  AppendDescendants(root, seen, found);
  return found;
}

std::optional<std::vector<ProcessStat>> ProcessesWith(
    const std::string& variable, const ProcessId& root) {
  std::vector<ProcessStat> found;
  std::set<pid_t> seen = {getpid()};
  const std::optional<std::vector<pid_t>> pids = NumbersIn("/proc");
  if (!pids.has_value()) return std::nullopt;
  for (pid_t pid : *pids) {
    if (seen.count(pid) != 0) continue;
    const std::optional<std::string> environment =
        ReadProcFile(ProcPath(pid, "/environ"));
    // Else it has ended, or is another user's.
    if (!environment.has_value() &&
        (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) {
      return std::nullopt;
    }
    const bool has_it =
        environment.has_value() && Holds(*environment, variable);
    if (!has_it && pid != root.pid) continue;
    std::optional<ProcessStat> stat = ReadProcessStat(pid);
    if (!stat.has_value() || !(has_it || stat->id == root)) continue;
    seen.insert(pid);
    found.push_back(*stat);
    AppendDescendants(pid, seen, found);
  }
  return found;
}

}  // namespace posix_internal
}  // namespace external_containerizer

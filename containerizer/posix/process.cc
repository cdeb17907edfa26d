// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/process.h"

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

std::optional<std::string> ReadToEnd(const UniqueFd& file) {
  if (!file.valid()) return std::nullopt;
  std::string contents;
  char buffer[4096];
  while (contents.size() < kMaxProcFile) {
    const ssize_t n = read(file.get(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) break;
    contents.append(buffer, static_cast<size_t>(n));
  }
  return contents;
}

std::optional<std::string> ReadProcFile(const std::string& path) {
  return ReadToEnd(UniqueFd(open(path.c_str(), O_RDONLY | O_CLOEXEC)));
}

// The entries of a directory that are numbers.
std::optional<std::vector<pid_t>> NumbersIn(int parent,
                                            const std::string& name) {
  const int fd =
      openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* dir = fd < 0 ? nullptr : fdopendir(fd);
  if (dir == nullptr) {
    const int error = errno;
    if (fd >= 0) close(fd);
    errno = error;
    return std::nullopt;
  }
  std::vector<pid_t> numbers;
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

// What /proc has about one process, whoever gets its pid: once it has been
// reaped, nothing can be read here any more. (By path, two files could be of
// two processes.) nullopt, with errno, for what cannot be read.
class ProcessDirectory {
 public:
  ProcessDirectory(const std::string& proc, pid_t pid)
      : fd_(open((proc + "/" + std::to_string(pid)).c_str(),
                 O_PATH | O_DIRECTORY | O_CLOEXEC)) {}

  std::optional<std::string> Read(const std::string& name) const {
    if (!fd_.valid()) return std::nullopt;
    return ReadToEnd(
        UniqueFd(openat(fd_.get(), name.c_str(), O_RDONLY | O_CLOEXEC)));
  }

  std::optional<ProcessStat> Stat() const {
    const std::optional<std::string> line = Read("stat");
    if (!line.has_value()) return std::nullopt;
    return ParseProcessStat(*line);
  }

  std::optional<std::vector<pid_t>> Children() const {
    if (!fd_.valid()) return std::nullopt;
    // A child belongs to the thread that forked it.
    const std::optional<std::vector<pid_t>> threads =
        NumbersIn(fd_.get(), "task");
    if (!threads.has_value()) return std::nullopt;
    std::vector<pid_t> children;
    for (const pid_t thread : *threads) {
      const std::optional<std::string> list =
          Read("task/" + std::to_string(thread) + "/children");
      if (!list.has_value()) {
        if (IsWanting()) return std::nullopt;
        continue;  // the thread has ended
      }
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

  // By errno: whether it could have been read with more descriptors or memory.
  static bool IsWanting() {
    return errno == EMFILE || errno == ENFILE || errno == ENOMEM;
  }

 private:
  const UniqueFd fd_;
};

// Whether a variable of it begins so.
bool Holds(const std::string& environment, const std::string& beginning) {
  for (size_t at = environment.find(beginning); at != std::string::npos;
       at = environment.find(beginning, at + 1)) {
    if (at == 0 || environment[at - 1] == '\0') return true;
  }
  return false;
}

// False, with errno, if descriptors or memory are wanting.
bool AppendDescendants(const std::string& proc, const ProcessId& root,
                       std::set<pid_t>& seen, std::vector<ProcessStat>& found) {
  std::vector<ProcessId> queue = {root};
  for (size_t i = 0; i < queue.size(); ++i) {
    const ProcessId parent = queue[i];
    const ProcessDirectory directory(proc, parent.pid);
    std::optional<ProcessStat> stat = directory.Stat();
    const std::optional<std::vector<pid_t>> pids =
        stat.has_value() && stat->id == parent ? directory.Children()
                                               : std::vector<pid_t>();
    if ((!stat.has_value() || !pids.has_value()) &&
        ProcessDirectory::IsWanting()) {
      return false;
    }
    std::vector<ProcessStat> children;
    for (const pid_t pid : pids.value_or(std::vector<pid_t>())) {
      if (seen.count(pid) != 0) continue;
      stat = ProcessDirectory(proc, pid).Stat();
      if (!stat.has_value() && ProcessDirectory::IsWanting()) return false;
      // The one that was listed may have ended, and its pid be another's.
      if (stat.has_value() && stat->parent == parent.pid) {
        children.push_back(*stat);
      }
    }
    // If it is still there, its pid was nobody else's while they were read.
    if (children.empty() || !directory.Stat().has_value()) continue;
    for (const ProcessStat& child : children) {
      if (!seen.insert(child.id.pid).second) continue;
      found.push_back(child);
      queue.push_back(child.id);
    }
  }
  return true;
}

// As ProcessesWith(), but for the beginning of a variable.
std::optional<std::vector<ProcessStat>> Find(const std::string& beginning,
                                             const ProcessId& root,
                                             const std::string& proc) {
  std::vector<ProcessStat> found;
  std::set<pid_t> seen = {getpid()};
  const std::optional<std::vector<pid_t>> pids = NumbersIn(AT_FDCWD, proc);
  if (!pids.has_value()) return std::nullopt;
  for (pid_t pid : *pids) {
    if (seen.count(pid) != 0) continue;
    const ProcessDirectory process(proc, pid);
    const std::optional<std::string> environment = process.Read("environ");
    // Else it has ended, or is another user's.
    if (!environment.has_value() && ProcessDirectory::IsWanting()) {
      return std::nullopt;
    }
    const bool has_it =
        environment.has_value() && Holds(*environment, beginning);
    if (!has_it && pid != root.pid) continue;
    const std::optional<ProcessStat> stat = process.Stat();
    if (!stat.has_value()) {
      if (ProcessDirectory::IsWanting()) return std::nullopt;
      continue;
    }
    if (!has_it && !(stat->id == root)) continue;
    seen.insert(pid);
    found.push_back(*stat);
    if (!AppendDescendants(proc, stat->id, seen, found)) return std::nullopt;
  }
  return found;
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
             " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %lld %lld "
             "%*d %*d %lld %*d %llu %*u %lld",
             &stat.state, &stat.parent, &user, &system, &children_user,
             &children_system, &threads, &start, &rss_pages) != 9) {
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
  const std::optional<std::string> line =
      ReadProcFile("/proc/" + std::to_string(pid) + "/stat");
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

std::vector<ProcessStat> Descendants(pid_t root, const std::string& proc) {
  std::vector<ProcessStat> found;
  std::set<pid_t> seen = {root};
  const std::optional<ProcessStat> stat = ProcessDirectory(proc, root).Stat();
  if (stat.has_value()) AppendDescendants(proc, stat->id, seen, found);
  return found;
}

std::optional<std::vector<ProcessStat>> ProcessesWith(
    const std::string& variable, const ProcessId& root,
    const std::string& proc) {
  return Find(variable + '\0', root, proc);
}

std::optional<std::vector<ProcessStat>> ProcessesWithPrefix(
    const std::string& beginning) {
  return Find(beginning, ProcessId(), "/proc");
}

}  // namespace posix_internal
}  // namespace external_containerizer

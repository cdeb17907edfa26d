// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Processes by identity: a pid alone may be somebody else's by now, a pid
// together with the time at which it started is not, until the next boot.
// All of it is read from /proc; a process that ends meanwhile is left out.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_PROCESS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_PROCESS_H_

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {

struct ProcessId {
  pid_t pid = 0;
  uint64_t start_ticks = 0;  // since boot: field 22 of /proc/PID/stat

  friend bool operator==(const ProcessId& a, const ProcessId& b) {
    return a.pid == b.pid && a.start_ticks == b.start_ticks;
  }
};

// One line of /proc/PID/stat. Times are in clock ticks.
struct ProcessStat {
  ProcessId id;
  pid_t parent = 0;
  char state = '?';  // 'Z': ended, not yet reaped
  uint64_t user_ticks = 0;
  uint64_t system_ticks = 0;
  // Of children that it has reaped, with theirs.
  uint64_t children_user_ticks = 0;
  uint64_t children_system_ticks = 0;
  uint64_t threads = 0;
  uint64_t rss_bytes = 0;
};

// The name of a process may hold anything, also parentheses and newlines.
std::optional<ProcessStat> ParseProcessStat(const std::string& line);

// nullopt if there is no such process. A zombie is one.
std::optional<ProcessStat> ReadProcessStat(pid_t pid);

// Of this boot; empty if it cannot be read.
std::string ReadBootId();

// A pidfd, which becomes readable when the process ends. Invalid, with errno
// ESRCH, if it has ended and been reaped; with another errno if that cannot be
// known, for want of descriptors or memory.
UniqueFd OpenProcess(const ProcessId& id);

// Sends a signal, never to another process that has got the pid since. False
// if the process is not there any more.
bool SignalProcess(const ProcessId& id, int signal);

// All processes below `root`, parents before children; `root` is not among
// them. What is forked, or loses its parent, during the walk may be missing; no
// stranger is among them that has got a pid meanwhile.
std::vector<ProcessStat> Descendants(pid_t root,
                                     const std::string& proc = "/proc");

// The processes that were started with `variable` ("NAME=value") in their
// environment, and `root`, if it is still there, whatever its environment; and
// their descendants. The caller itself is not among them, and again no
// stranger. nullopt, with errno, if descriptors or memory are wanting to look
// at all.
std::optional<std::vector<ProcessStat>> ProcessesWith(
    const std::string& variable, const ProcessId& root = ProcessId(),
    const std::string& proc = "/proc");

// The same, of all that have a variable that begins so: "NAME=val".
std::optional<std::vector<ProcessStat>> ProcessesWithPrefix(
    const std::string& beginning);

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_PROCESS_H_

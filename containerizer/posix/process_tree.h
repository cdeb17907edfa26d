// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Finds the processes that belong together, by their parents and by their
// environment. The source is /proc. A process that ends meanwhile is left out.
//
//   for (const ProcStat& process : Descendants(supervisor)) {
//     SignalProcess(process, SIGTERM);
//   }
//
// All functions are thread-safe.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_PROCESS_TREE_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_PROCESS_TREE_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/process_identity.h"

namespace external_containerizer {
namespace posix_internal {

// Sends a signal to a process, and to no other process that has its pid now.
// Returns false if the process has ended.
bool SignalProcess(const ProcStat& process, int signal);

// Returns all processes below `root`, parents before their children. `root` is
// not among them. A process that is forked, or loses its parent, during the
// walk may be missing. A process that gets the pid of one that ended is never
// among them. `proc` is for tests.
std::vector<ProcStat> Descendants(pid_t root,
                                  const std::string& proc = "/proc");

// Returns the processes that were started with an environment variable that
// begins with `beginning` ("NAME=val"), and their descendants. `root` is among
// them if it runs, whatever its environment; its pid and its start count. The
// caller is never among them. nullopt, with errno, if there are not enough
// descriptors or memory to look at all processes.
std::optional<std::vector<ProcStat>> ProcessesWith(
    const std::string& beginning,
    const ProcessIdentity& root = ProcessIdentity(),
    const std::string& proc = "/proc");

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_PROCESS_TREE_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Which processes belong together, by parents and by environment. All of it is
// read from /proc; a process that ends meanwhile is left out.

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

// Sends a signal, never to another process that has got the pid since. False
// if the process is not there any more.
bool SignalProcess(const ProcStat& process, int signal);

// All processes below `root`, parents before children; `root` is not among
// them. What is forked, or loses its parent, during the walk may be missing; no
// stranger is among them that has got a pid meanwhile.
std::vector<ProcStat> Descendants(pid_t root,
                                  const std::string& proc = "/proc");

// The processes that were started with a variable in their environment that
// begins with `beginning` ("NAME=val"), and `root` (its pid and start), if it
// is still there, whatever its environment; and their descendants. The caller
// itself is not among them, and again no stranger. nullopt, with errno, if
// descriptors or memory are wanting to look at all.
std::optional<std::vector<ProcStat>> ProcessesWith(
    const std::string& beginning,
    const ProcessIdentity& root = ProcessIdentity(),
    const std::string& proc = "/proc");

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_PROCESS_TREE_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/conformance/processes.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "absl/strings/numbers.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/proc_stat.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace conformance {
namespace {

struct CloseDir {
  void operator()(DIR* directory) const { closedir(directory); }
};

// Every process that can be seen.
std::map<pid_t, ProcStat> AllProcesses() {
  std::map<pid_t, ProcStat> all;
  const std::unique_ptr<DIR, CloseDir> proc(opendir("/proc"));
  if (proc == nullptr) return all;
  while (const dirent* entry = readdir(proc.get())) {
    int pid;
    if (!absl::SimpleAtoi(entry->d_name, &pid)) continue;
    const std::optional<ProcStat> stat = ReadProcStat(pid);
    if (stat.has_value()) all.emplace(pid, *stat);
  }
  return all;
}

bool IsOurs(const std::map<pid_t, ProcStat>& all, pid_t pid) {
  // The steps are bounded, for the table was not read in one moment.
  for (size_t steps = 0; steps <= all.size(); ++steps) {
    const auto process = all.find(pid);
    if (process == all.end()) return false;
    pid = process->second.parent;
    if (pid == getpid()) return true;
  }
  return false;
}

// All descendants, also those that have ended and were not reaped.
std::vector<ProcStat> OurProcesses() {
  const std::map<pid_t, ProcStat> all = AllProcesses();
  std::vector<ProcStat> ours;
  for (const auto& [pid, stat] : all) {
    if (IsOurs(all, pid)) ours.push_back(stat);
  }
  return ours;
}

// The number may have become another process's since it was read.
void Kill(const ProcStat& process) {
  const UniqueFd pidfd = OpenPidfd(process.pid);
  if (!pidfd.valid()) return;
  const std::optional<ProcStat> now = ReadProcStat(process.pid);
  if (now.has_value() && now->start_ticks == process.start_ticks) {
    SendSignal(pidfd.get(), SIGKILL);
  }
}

}  // namespace

absl::Status AdoptDescendants() {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, "cannot adopt the program's processes");
}

std::set<pid_t> Descendants() {
  std::set<pid_t> running;
  for (const ProcStat& process : OurProcesses()) {
    if (process.state != 'Z' && process.state != 'X') {
      running.insert(process.pid);
    }
  }
  return running;
}

void KillDescendants(Deadline deadline) {
  for (;;) {
    const std::vector<ProcStat> ours = OurProcesses();
    if (ours.empty()) return;
    for (const ProcStat& process : ours) {
      if (process.state != 'Z') Kill(process);
      if (process.parent == getpid()) waitpid(process.pid, nullptr, WNOHANG);
    }
    if (deadline.Expired()) return;
    poll(nullptr, 0, 1);
  }
}

}  // namespace conformance
}  // namespace external_containerizer

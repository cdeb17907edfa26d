// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/process_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "external_containerizer/containerizer/posix/small_files.h"
#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

// An environment has at most 6 MiB; the other files are smaller.
constexpr size_t kMaxProcFile = 8 << 20;

// Returns the entries of a directory that are numbers.
std::optional<std::vector<pid_t>> NumbersIn(int parent,
                                            const std::string& name) {
  const std::optional<std::vector<std::string>> names = NamesIn(parent, name);
  if (!names.has_value()) return std::nullopt;
  std::vector<pid_t> numbers;
  for (const std::string& entry : *names) {
    pid_t number = 0;
    if (absl::SimpleAtoi(entry, &number)) numbers.push_back(number);
  }
  return numbers;
}

// The directory of one process in /proc. Nothing can be read in it once the
// process has been reaped, even if its pid is in use again. A method returns
// nullopt, with errno, if it cannot read.
class ProcessDirectory {
 public:
  ProcessDirectory(const std::string& proc, pid_t pid)
      : fd_(open((proc + "/" + std::to_string(pid)).c_str(),
                 O_PATH | O_DIRECTORY | O_CLOEXEC)) {}

  std::optional<std::string> Read(const std::string& name) const {
    if (!fd_.valid()) return std::nullopt;
    const UniqueFd file(openat(fd_.get(), name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) return std::nullopt;
    return ReadSmallFile(file.get(), kMaxProcFile);
  }

  std::optional<ProcStat> Stat() const {
    const std::optional<std::string> line = Read("stat");
    if (!line.has_value()) return std::nullopt;
    return ParseProcStat(*line);
  }

  std::optional<std::vector<pid_t>> Children() const {
    if (!fd_.valid()) return std::nullopt;
    // The kernel lists a child at the thread that forked it.
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
      for (const std::string& word : WordsOf(*list)) {
        pid_t child = 0;
        if (absl::SimpleAtoi(word, &child)) children.push_back(child);
      }
    }
    return children;
  }

  // Returns whether errno says that descriptors or memory were not enough.
  static bool IsWanting() {
    return errno == EMFILE || errno == ENFILE || errno == ENOMEM;
  }

 private:
  const UniqueFd fd_;
};

// Returns whether a variable of the environment begins with `beginning`.
bool Holds(const std::string& environment, const std::string& beginning) {
  for (size_t at = environment.find(beginning); at != std::string::npos;
       at = environment.find(beginning, at + 1)) {
    if (at == 0 || environment[at - 1] == '\0') return true;
  }
  return false;
}

bool IsSame(const ProcStat& a, const ProcStat& b) {
  return a.pid == b.pid && a.start_ticks == b.start_ticks;
}

// Appends all processes below `root`. Returns false, with errno, if there are
// not enough descriptors or memory.
bool AppendDescendants(const std::string& proc, const ProcStat& root,
                       std::set<pid_t>& seen, std::vector<ProcStat>& found) {
  std::vector<ProcStat> queue = {root};
  for (size_t i = 0; i < queue.size(); ++i) {
    const ProcStat parent = queue[i];
    const ProcessDirectory directory(proc, parent.pid);
    std::optional<ProcStat> stat = directory.Stat();
    const std::optional<std::vector<pid_t>> pids =
        stat.has_value() && IsSame(*stat, parent) ? directory.Children()
                                                  : std::vector<pid_t>();
    if ((!stat.has_value() || !pids.has_value()) &&
        ProcessDirectory::IsWanting()) {
      return false;
    }
    std::vector<ProcStat> children;
    for (const pid_t pid : pids.value_or(std::vector<pid_t>())) {
      if (seen.count(pid) != 0) continue;
      stat = ProcessDirectory(proc, pid).Stat();
      if (!stat.has_value() && ProcessDirectory::IsWanting()) return false;
      // The child may have ended, and another process may have its pid.
      if (stat.has_value() && stat->parent == parent.pid) {
        children.push_back(*stat);
      }
    }
    // The children count if the parent has kept its pid while they were read.
    if (children.empty() || !directory.Stat().has_value()) continue;
    for (const ProcStat& child : children) {
      if (!seen.insert(child.pid).second) continue;
      found.push_back(child);
      queue.push_back(child);
    }
  }
  return true;
}

}  // namespace

bool SignalProcess(const ProcStat& process, int signal) {
  const absl::StatusOr<UniqueFd> pidfd =
      OpenProcess(process.pid, process.start_ticks);
  return pidfd.ok() && SendSignal(pidfd->get(), signal);
}

std::vector<ProcStat> Descendants(pid_t root, const std::string& proc) {
  std::vector<ProcStat> found;
  std::set<pid_t> seen = {root};
  const std::optional<ProcStat> stat = ProcessDirectory(proc, root).Stat();
  if (stat.has_value()) AppendDescendants(proc, *stat, seen, found);
  return found;
}

std::optional<std::vector<ProcStat>> ProcessesWith(const std::string& beginning,
                                                   const ProcessIdentity& root,
                                                   const std::string& proc) {
  std::vector<ProcStat> found;
  std::set<pid_t> seen = {getpid()};
  const std::optional<std::vector<pid_t>> pids = NumbersIn(AT_FDCWD, proc);
  if (!pids.has_value()) return std::nullopt;
  for (pid_t pid : *pids) {
    if (seen.count(pid) != 0) continue;
    const ProcessDirectory process(proc, pid);
    const std::optional<std::string> environment = process.Read("environ");
    // A process that has ended, or is another user's, cannot be read either.
    if (!environment.has_value() && ProcessDirectory::IsWanting()) {
      return std::nullopt;
    }
    const bool has_it =
        environment.has_value() && Holds(*environment, beginning);
    if (!has_it && pid != root.pid) continue;
    const std::optional<ProcStat> stat = process.Stat();
    if (!stat.has_value()) {
      if (ProcessDirectory::IsWanting()) return std::nullopt;
      continue;
    }
    if (!has_it && stat->start_ticks != root.start_ticks) continue;
    seen.insert(pid);
    found.push_back(*stat);
    if (!AppendDescendants(proc, *stat, seen, found)) return std::nullopt;
  }
  return found;
}

}  // namespace posix_internal
}  // namespace external_containerizer

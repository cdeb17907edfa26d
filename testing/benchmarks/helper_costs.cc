// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/benchmarks/helper_costs.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>  // NOLINT(build/c++17)
#include <memory>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/blocking.h"
#include "external_containerizer/testing/benchmarks/quartiles.h"
#include "external_containerizer/testing/benchmarks/turns.h"
#include "external_containerizer/testing/benchmarks/usage_agent.h"
#include "external_containerizer/transport/ttrpc/socket.h"
#include "external_containerizer/transport/unix_socket/unix_socket.h"

namespace external_containerizer {
namespace {

namespace fs = std::filesystem;

// Containers before the first measurement of the heap.
constexpr int kWarmUp = 200;

absl::Status MakeDirectory(const std::string& path) {
  if (mkdir(path.c_str(), 0700) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot make ", path));
}

// An agent, and the helper that it has started.
class HelperAgent {
 public:
  static absl::StatusOr<std::unique_ptr<HelperAgent>> Start(
      const std::string& program, const std::string& directory) {
    absl::Status status = MakeDirectory(directory);
    if (!status.ok()) return status;
    UnixSocketOptions options;
    options.program = program;
    options.work_directory = directory;
    auto agent =
        UsageAgent::Start(UnixSocketTransport(std::move(options)), directory);
    if (!agent.ok()) return agent.status();
    const absl::StatusOr<pid_t> helper = HelperAt(directory);
    if (!helper.ok()) return helper.status();
    return std::unique_ptr<HelperAgent>(
        new HelperAgent(*std::move(agent), *helper));
  }

  ~HelperAgent() {
    agent_.reset();  // Or it would start another one.
    kill(helper_, SIGTERM);
  }

  UsageAgent& agent() { return *agent_; }
  pid_t helper() const { return helper_; }

 private:
  HelperAgent(std::unique_ptr<UsageAgent> agent, pid_t helper)
      : agent_(std::move(agent)), helper_(helper) {}

  static absl::StatusOr<pid_t> HelperAt(const std::string& directory) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(directory, error)) {
      if (!absl::EndsWith(entry.path().string(), ".sock")) continue;
      const absl::StatusOr<int> fd = ttrpc::ConnectUnix(entry.path().string());
      if (!fd.ok()) return fd.status();
      const absl::StatusOr<ttrpc::Peer> peer = ttrpc::PeerOf(*fd);
      close(*fd);
      if (!peer.ok()) return peer.status();
      return peer->pid;
    }
    return absl::NotFoundError("no helper has been started");
  }

  std::unique_ptr<UsageAgent> agent_;
  const pid_t helper_;
};

Contender MicrosPerUsage(const std::string& name, UsageAgent& agent,
                         int calls) {
  return {name, [&agent, calls]() -> absl::StatusOr<double> {
            const auto time = agent.TimePerCall(calls, 1);
            if (!time.ok()) return time.status();
            return absl::ToDoubleMicroseconds(*time);
          }};
}

size_t HeapInUse() {
  const struct mallinfo2 heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

ptrdiff_t ThreadsOf(pid_t pid) {
  std::error_code error;
  return std::distance(
      fs::directory_iterator(absl::StrCat("/proc/", pid, "/task"), error),
      fs::directory_iterator());
}

struct Snapshot {
  size_t agent_heap;
  size_t helper_heap;
  ptrdiff_t agent_threads;
  ptrdiff_t helper_threads;
};

// When the helper holds so many `wait`s.
absl::StatusOr<Snapshot> SnapshotWith(HelperAgent& agent, int waits) {
  BlockingContainerizer blocking(agent.agent().containerizer());
  const absl::Time deadline = absl::Now() + absl::Minutes(1);
  while (absl::Now() < deadline) {
    const auto usage = blocking.Usage(UsageAgent::IdOf(0));
    if (!usage.ok()) return usage.status();
    if (!usage->has_value()) return absl::InternalError("no usage");
    if ((*usage)->processes() == static_cast<uint32_t>(waits)) {
      return Snapshot{HeapInUse(), (*usage)->mem_total_bytes(),
                      ThreadsOf(getpid()), ThreadsOf(agent.helper())};
    }
  }
  return absl::DeadlineExceededError("not all containers wait");
}

}  // namespace

absl::StatusOr<double> CompareHostings(const std::string& name,
                                       const std::string& program,
                                       const std::string& directory, int blocks,
                                       int calls) {
  absl::Status status = MakeDirectory(directory);
  if (!status.ok()) return status;
  const auto helper =
      HelperAgent::Start(program, absl::StrCat(directory, "/helper"));
  if (!helper.ok()) return helper.status();
  status = (*helper)->agent().Launch(0, 1);
  if (!status.ok()) return status;
  const auto fork_exec =
      UsageAgent::Start(program, absl::StrCat(directory, "/fork_exec"), 1);
  if (!fork_exec.ok()) return fork_exec.status();
  const auto destroy = absl::MakeCleanup([&] {
    // A helper that cannot be ended here ends by itself.
    (void)(*helper)->agent().Destroy(0, 1);
    (void)(*fork_exec)->Destroy(0, 1);
  });
  const auto samples = TakeTurns(
      blocks, {MicrosPerUsage("", **fork_exec, std::max(1, calls / 20)),
               MicrosPerUsage("", (*helper)->agent(), calls)});
  if (!samples.ok()) return samples.status();
  PrintHeading(absl::StrCat("usage of ", name));
  PrintRow("a process for each", (*samples)[0], "µs per call");
  PrintRow("through the helper", (*samples)[1], "µs per call");
  const Samples faster = Ratios((*samples)[0], (*samples)[1]);
  PrintRow("so many times faster", faster, "(target: at least 20)");
  return QuartilesOf(faster).median;
}

absl::Status PrintWaitingCosts(const std::string& trivial_helper,
                               const std::string& directory, int containers) {
  const auto helper = HelperAgent::Start(trivial_helper, directory);
  if (!helper.ok()) return helper.status();
  UsageAgent& agent = (*helper)->agent();
  absl::Status status = agent.Launch(0, kWarmUp);
  if (!status.ok()) return status;
  const auto before = SnapshotWith(**helper, kWarmUp);
  if (!before.ok()) return before.status();
  // The calls are made one after another, because they are not measured.
  for (int i = kWarmUp; i < kWarmUp + containers; i += kWarmUp) {
    status = agent.Launch(i, std::min(i + kWarmUp, kWarmUp + containers));
    if (!status.ok()) return status;
  }
  const auto after = SnapshotWith(**helper, kWarmUp + containers);
  if (!after.ok()) return after.status();
  // Each container has a caller that waits, too.
  for (int i = kWarmUp; i < kWarmUp + containers; ++i) {
    agent.containerizer().Wait(UsageAgent::IdOf(i),
                               [](const absl::StatusOr<wire::Termination>&) {});
  }
  const auto waited_for = SnapshotWith(**helper, kWarmUp + containers);
  if (!waited_for.ok()) return waited_for.status();

  const auto each = [&](size_t from, size_t to) {
    return (static_cast<double>(to) - static_cast<double>(from)) / containers;
  };
  absl::PrintF("\n%d containers that wait\n", containers);
  absl::PrintF("  %-40s %8.0f bytes (target: at most 1024)\n",
               "heap of the agent, for each",
               each(before->agent_heap, after->agent_heap));
  absl::PrintF("  %-40s %8.0f bytes\n", "the same, with a caller's Wait()",
               each(before->agent_heap, waited_for->agent_heap));
  absl::PrintF("  %-40s %8.0f bytes (target: at most 2048)\n",
               "heap of the helper, for each",
               each(before->helper_heap, after->helper_heap));
  absl::PrintF("  %-40s %8d, before %d\n", "threads of the agent",
               after->agent_threads, before->agent_threads);
  absl::PrintF("  %-40s %8d, before %d\n", "threads of the helper",
               after->helper_threads, before->helper_threads);
  fflush(stdout);
  return absl::OkStatus();
}

}  // namespace external_containerizer

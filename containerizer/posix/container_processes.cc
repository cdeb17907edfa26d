// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_processes.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/container_cgroups.h"
#include "external_containerizer/transport/linux/clock.h"
#include "external_containerizer/transport/linux/pidfd.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

constexpr absl::Duration kKillTime = absl::Seconds(5);
// The kernel needs a moment to let go of cgroups that are empty.
constexpr absl::Duration kRemoveTime = absl::Seconds(2);

absl::Status CannotLook(absl::string_view at) {
  return absl::ResourceExhaustedError(
      absl::StrCat("cannot look for ", at, ": ", strerror(errno)));
}

absl::Status DoesNotDie(const ProcStat& process) {
  return absl::DeadlineExceededError(absl::StrCat(
      "its process ", process.pid, " does not die yet; destroy it again"));
}

// Takes the zombies out of what ProcessesWith() returns.
absl::StatusOr<std::vector<ProcStat>> WithoutZombies(
    std::optional<std::vector<ProcStat>> found) {
  if (!found.has_value()) return CannotLook("processes");
  found->erase(std::remove_if(found->begin(), found->end(),
                              [](const ProcStat& process) {
                                return process.state == 'Z';
                              }),
               found->end());
  return *std::move(found);
}

}  // namespace

absl::StatusOr<UniqueFd> FindProcess(const ProcessIdentity& id) {
  absl::StatusOr<UniqueFd> found = OpenProcess(id);
  if (absl::IsNotFound(found.status())) return UniqueFd();
  return found;
}

void TellToTerminate(const UniqueFd& supervisor, absl::Duration grace) {
  siginfo_t info = {};
  info.si_signo = SIGTERM;
  info.si_code = SI_QUEUE;
  info.si_pid = getpid();
  info.si_uid = geteuid();
  info.si_value.sival_int = static_cast<int>(std::clamp<int64_t>(
      absl::ToInt64Milliseconds(grace), 0, std::numeric_limits<int>::max()));
  SendSignal(supervisor.get(), SIGTERM, &info);
  // Somebody may have stopped it.
  SendSignal(supervisor.get(), SIGCONT);
}

absl::StatusOr<std::vector<ProcStat>> Survivors(const LaunchRecord& launch) {
  const absl::Status seen = CanBeSeen(launch.task);
  if (absl::IsNotFound(seen)) return std::vector<ProcStat>();
  if (!seen.ok()) return seen;
  const std::string variable = absl::StrCat(kTokenVariable, "=", launch.token);
  return WithoutZombies(ProcessesWith(variable + '\0', launch.task));
}

absl::StatusOr<bool> KillWhatIsFound(
    absl::FunctionRef<absl::StatusOr<std::vector<ProcStat>>()> find) {
  const Deadline deadline(kKillTime);
  bool any = false;
  for (int none = 0; none < 2;) {
    const absl::StatusOr<std::vector<ProcStat>> survivors = find();
    if (!survivors.ok()) return survivors.status();
    if (survivors->empty()) {
      ++none;
      continue;
    }
    any = true;
    none = 0;
    if (deadline.Expired()) return DoesNotDie(survivors->front());
    for (const ProcStat& process : *survivors) {
      SignalProcess(process, SIGKILL);
    }
    // A process that is about to end is not found any more, and still runs.
    for (const ProcStat& process : *survivors) {
      const absl::StatusOr<UniqueFd> pidfd =
          OpenProcess(process.pid, process.start_ticks);
      if (pidfd.ok() && !AwaitEnd(pidfd->get(), deadline)) {
        return DoesNotDie(process);
      }
    }
  }
  return any;
}

absl::Status EndContainer(const ContainerRecords& records) {
  if (records.launch.has_value()) {
    const absl::StatusOr<bool> killed =
        KillWhatIsFound([&records] { return Survivors(*records.launch); });
    if (!killed.ok()) return killed.status();
  }
  absl::Status ended = KillCgroups(records.cgroups, kKillTime);
  if (!ended.ok()) return ended;
  return RemoveCgroups(records.cgroups, kRemoveTime);
}

absl::StatusOr<bool> EndDamagedContainer(int file) {
  ContainerRecords known = SalvageRecords(file);
  known.launch.reset();
  // Each process of a container is in all of its cgroups.
  const bool any_cgroup =
      std::any_of(known.cgroups.begin(), known.cgroups.end(),
                  [](const ContainerCgroup& cgroup) {
                    return access(cgroup.path().c_str(), F_OK) == 0;
                  });
  const std::string prefix = TokenPrefix(file);
  if (prefix.empty()) return CannotLook("the container's file");
  const absl::StatusOr<bool> any_process = KillWhatIsFound([&prefix] {
    return WithoutZombies(
        ProcessesWith(absl::StrCat(kTokenVariable, "=", prefix)));
  });
  if (!any_process.ok()) return any_process.status();
  if (absl::Status ended = EndContainer(known); !ended.ok()) return ended;
  return *any_process || any_cgroup;
}

}  // namespace posix_internal
}  // namespace external_containerizer

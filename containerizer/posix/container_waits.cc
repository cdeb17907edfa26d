// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_waits.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/posix/cgroup_limits.h"
#include "external_containerizer/containerizer/posix/container_processes.h"
#include "external_containerizer/containerizer/posix/container_report.h"
#include "external_containerizer/containerizer/posix/records.pb.h"
#include "external_containerizer/transport/linux/mutex_lock.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

// The most waits that have a second descriptor.
constexpr size_t kMostFiles = 1000;

// The descriptors that stay free for launch, destroy and usage. If the process
// may have few, half of them stay free.
constexpr size_t kKeptFree = 4096;

// A wait without a descriptor looks this often. The pause is added for each
// other wait without one.
constexpr absl::Duration kPollInterval = absl::Milliseconds(500);
constexpr absl::Duration kPollPause = absl::Milliseconds(1);

// Returns how many descriptors the waits may have open.
size_t MostDescriptors() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  return limit.rlim_cur - std::min<size_t>(kKeptFree, limit.rlim_cur / 2);
}

bool IsRemoved(const UniqueFd& file) {
  struct stat status;
  return fstat(file.get(), &status) == 0 && status.st_nlink == 0;
}

wire::Termination UnknownEnd() {
  wire::Termination termination;
  termination.set_killed(false);
  termination.set_message(
      "destroyed by another process, before its end could be read");
  termination.set_state(wire::TASK_KILLED);
  return termination;
}

}  // namespace

struct ContainerWaits::PendingWait {
  PendingWait(ContainerWaits& waits, Reply<wire::Termination> the_reply)
      : owner(waits), reply(std::move(the_reply)) {}
  ~PendingWait() { owner.Forget(*this); }

  ContainerWaits& owner;
  std::string id;
  StorePlace place;
  ProcessIdentity supervisor;
  UniqueFd file;  // may be invalid
  // The owner's mutex guards all but the last two.
  bool has_file = false;   // it counts in files_
  bool has_pidfd = false;  // it counts in pidfds_
  ProcessWatcher::WatchId watch = 0;
  std::unique_ptr<ContainerRecords> last;  // set by BeforeRemoval()
  Cancellation cancellation;
  Reply<wire::Termination> reply;
};

ContainerWaits::Key ContainerWaits::KeyOf(const ProcessIdentity& supervisor) {
  return {supervisor.pid, supervisor.start_ticks};
}

void ContainerWaits::Wait(const std::string& id, const Context& context,
                          Reply<wire::Termination> reply) {
  StorePlace place = StorePlaceOf(context);
  const absl::StatusOr<std::shared_ptr<ContainerStore>> store =
      ContainerStore::Open(place);
  if (!store.ok()) return std::move(reply)(store.status());
  absl::StatusOr<UniqueFd> file = (*store)->OpenLaunched(id);
  if (!file.ok()) return std::move(reply)(file.status());
  const absl::StatusOr<ContainerRecords> records = ReadRecords(file->get());
  if (!records.ok()) return std::move(reply)(records.status());
  if (!records->launch.has_value() && records->end.has_value()) {
    return std::move(reply)(TerminationOf(*records->end));
  }
  if (!records->launch.has_value()) {
    return std::move(reply)(absl::FailedPreconditionError(
        "its launch did not come to an end; destroy it"));
  }
  const ProcessIdentity supervisor = records->launch->supervisor;
  auto wait = std::make_shared<PendingWait>(*this, std::move(reply));
  wait->id = id;
  wait->place = std::move(place);
  wait->supervisor = supervisor;
  wait->cancellation = context.cancellation;
  bool keep = false;
  {
    MutexLock lock(&mutex_);
    waits_.emplace(KeyOf(supervisor), wait.get());
    const size_t most = MostDescriptors();
    wait->has_pidfd = pidfds_ + files_ < most;
    if (wait->has_pidfd) ++pidfds_;
    keep = files_ < kMostFiles && pidfds_ + files_ < most;
    if (keep) ++files_;
    wait->has_file = keep;
  }
  context.cancellation.OnCancelled(
      [this, weak = std::weak_ptr<PendingWait>(wait)] {
        const auto cancelled = weak.lock();
        if (cancelled == nullptr) return;
        MutexLock lock(&mutex_);
        watcher_.Cancel(cancelled->watch);
      });
  // BeforeRemoval() knows the wait now. An earlier removal leaves it the file.
  if (keep || IsRemoved(*file)) wait->file = *std::move(file);
  WaitFor(wait, supervisor, [this, wait] { SupervisorHasEnded(wait); });
}

void ContainerWaits::BeforeRemoval(const ContainerRecords& records) {
  if (!records.launch.has_value()) return;
  MutexLock lock(&mutex_);
  const auto range = waits_.equal_range(KeyOf(records.launch->supervisor));
  for (auto it = range.first; it != range.second; ++it) {
    if (!it->second->has_file) {
      it->second->last = std::make_unique<ContainerRecords>(records);
    }
  }
}

void ContainerWaits::WaitFor(const std::shared_ptr<PendingWait>& wait,
                             const ProcessIdentity& process,
                             absl::AnyInvocable<void() &&> next) {
  absl::StatusOr<UniqueFd> found = FindProcess(process);
  if (found.ok() && !found->valid()) return std::move(next)();
  absl::Duration pause = absl::InfiniteDuration();
  {
    MutexLock lock(&mutex_);
    if (!wait->has_pidfd || absl::IsResourceExhausted(found.status())) {
      pause = kPollInterval +
              kPollPause * static_cast<int64_t>(waits_.size() - pidfds_);
      found = UniqueFd();
    }
  }
  if (!found.ok()) return std::move(wait->reply)(found.status());
  const ProcessWatcher::WatchId watch =
      watcher_.Watch(*std::move(found), pause,
                     [this, wait, process,
                      next = std::move(next)](absl::Status ended) mutable {
                       if (absl::IsDeadlineExceeded(ended)) {
                         return WaitFor(wait, process, std::move(next));
                       }
                       if (!ended.ok())
                         return std::move(wait->reply)(std::move(ended));
                       std::move(next)();
                     });
  {
    MutexLock lock(&mutex_);
    // The callback may have begun another watch already, whose id is greater.
    wait->watch = std::max(wait->watch, watch);
  }
  // A cancellation may have come before the id was known.
  if (wait->cancellation.IsCancelled()) watcher_.Cancel(watch);
}

void ContainerWaits::SupervisorHasEnded(
    const std::shared_ptr<PendingWait>& wait) {
  const absl::StatusOr<ContainerRecords> records = RecordsOf(*wait);
  if (!records.ok()) return std::move(wait->reply)(records.status());
  if (records->end.has_value()) {
    return std::move(wait->reply)(TerminationOf(*records->end));
  }
  if (!records->launch.has_value()) {
    return std::move(wait->reply)(UnknownEnd());
  }
  // The supervisor was killed. The task may run on without it.
  WaitFor(wait, records->launch->task,
          [wait, launch = *records->launch, cgroups = records->cgroups] {
            TaskEnd memory;
            ReadMemoryEvents(cgroups, memory);
            std::move(wait->reply)(UnseenTermination(launch, memory));
          });
}

absl::StatusOr<ContainerRecords> ContainerWaits::RecordsOf(PendingWait& wait) {
  if (wait.file.valid()) return ReadRecords(wait.file.get());
  const absl::StatusOr<std::shared_ptr<ContainerStore>> store =
      ContainerStore::Open(wait.place);
  // The caller may ask again: the end is recorded.
  if (absl::IsResourceExhausted(store.status())) return store.status();
  if (store.ok()) {
    const absl::StatusOr<UniqueFd> file = (*store)->OpenLaunched(wait.id);
    if (absl::IsResourceExhausted(file.status())) return file.status();
    if (file.ok()) {
      const absl::StatusOr<ContainerRecords> records = ReadRecords(file->get());
      // The id may belong to a new launch.
      if (records.ok() && records->launch.has_value() &&
          KeyOf(records->launch->supervisor) == KeyOf(wait.supervisor)) {
        return records;
      }
    }
  }
  MutexLock lock(&mutex_);
  return wait.last == nullptr ? ContainerRecords() : *wait.last;
}

void ContainerWaits::Forget(const PendingWait& wait) {
  MutexLock lock(&mutex_);
  if (wait.has_file) --files_;
  if (wait.has_pidfd) --pidfds_;
  const auto range = waits_.equal_range(KeyOf(wait.supervisor));
  for (auto it = range.first; it != range.second; ++it) {
    if (it->second != &wait) continue;
    waits_.erase(it);
    return;
  }
}

}  // namespace posix_internal
}  // namespace external_containerizer

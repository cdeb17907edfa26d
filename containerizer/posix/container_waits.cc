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

// A second descriptor each, for so many only.
constexpr size_t kMostFiles = 1000;

// What launch, destroy and usage find free, or half of all if those are few.
constexpr size_t kKeptFree = 4096;

// How often one looks that has no descriptor, and so much later for each other
// one that has none.
constexpr absl::Duration kPollInterval = absl::Milliseconds(500);
constexpr absl::Duration kPollPause = absl::Milliseconds(1);

// How many descriptors waits may keep open.
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

struct ContainerWaits::Waiting {
  Waiting(ContainerWaits& waits, Reply<wire::Termination> the_reply)
      : owner(waits), reply(std::move(the_reply)) {}
  ~Waiting() { owner.Forget(*this); }

  ContainerWaits& owner;
  std::string id;
  StorePlace place;
  ProcessIdentity supervisor;
  UniqueFd file;  // or none
  // The rest but the last two: under the owner's mutex.
  bool has_file = false;   // in files_
  bool has_pidfd = false;  // in pidfds_
  ProcessWatcher::WatchId watch = 0;
  std::unique_ptr<ContainerRecords> last;  // if another had to tell
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
  auto waiting = std::make_shared<Waiting>(*this, std::move(reply));
  waiting->id = id;
  waiting->place = std::move(place);
  waiting->supervisor = supervisor;
  waiting->cancellation = context.cancellation;
  bool keep = false;
  {
    MutexLock lock(&mutex_);
    waits_.emplace(KeyOf(supervisor), waiting.get());
    const size_t most = MostDescriptors();
    waiting->has_pidfd = pidfds_ + files_ < most;
    if (waiting->has_pidfd) ++pidfds_;
    keep = files_ < kMostFiles && pidfds_ + files_ < most;
    if (keep) ++files_;
    waiting->has_file = keep;
  }
  context.cancellation.OnCancelled(
      [this, weak = std::weak_ptr<Waiting>(waiting)] {
        const auto cancelled = weak.lock();
        if (cancelled == nullptr) return;
        MutexLock lock(&mutex_);
        watcher_.Cancel(cancelled->watch);
      });
  // From here on it hears of a removal; before, it may have missed it.
  if (keep || IsRemoved(*file)) waiting->file = *std::move(file);
  WaitFor(waiting, supervisor,
          [this, waiting] { SupervisorHasEnded(waiting); });
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

void ContainerWaits::WaitFor(const std::shared_ptr<Waiting>& waiting,
                             const ProcessIdentity& process,
                             absl::AnyInvocable<void() &&> next) {
  absl::StatusOr<UniqueFd> found = FindProcess(process);
  if (found.ok() && !found->valid()) return std::move(next)();
  absl::Duration pause = absl::InfiniteDuration();
  {
    MutexLock lock(&mutex_);
    if (!waiting->has_pidfd || absl::IsResourceExhausted(found.status())) {
      pause = kPollInterval +
              kPollPause * static_cast<int64_t>(waits_.size() - pidfds_);
      found = UniqueFd();
    }
  }
  if (!found.ok()) return std::move(waiting->reply)(found.status());
  const ProcessWatcher::WatchId watch =
      watcher_.Watch(*std::move(found), pause,
                     [this, waiting, process,
                      next = std::move(next)](absl::Status ended) mutable {
                       if (absl::IsDeadlineExceeded(ended)) {
                         return WaitFor(waiting, process, std::move(next));
                       }
                       if (!ended.ok())
                         return std::move(waiting->reply)(std::move(ended));
                       std::move(next)();
                     });
  {
    MutexLock lock(&mutex_);
    // By then it may have found its end, and begun to look for another's.
    waiting->watch = std::max(waiting->watch, watch);
  }
  // It may have been cancelled before that.
  if (waiting->cancellation.IsCancelled()) watcher_.Cancel(watch);
}

void ContainerWaits::SupervisorHasEnded(
    const std::shared_ptr<Waiting>& waiting) {
  const absl::StatusOr<ContainerRecords> records = RecordsOf(*waiting);
  if (!records.ok()) return std::move(waiting->reply)(records.status());
  if (records->end.has_value()) {
    return std::move(waiting->reply)(TerminationOf(*records->end));
  }
  if (!records->launch.has_value()) {
    return std::move(waiting->reply)(UnknownEnd());
  }
  // Killed: the task may run on without it.
  WaitFor(waiting, records->launch->task,
          [waiting, launch = *records->launch, cgroups = records->cgroups] {
            TaskEnd memory;
            ReadMemoryEvents(cgroups, memory);
            std::move(waiting->reply)(UnseenTermination(launch, memory));
          });
}

absl::StatusOr<ContainerRecords> ContainerWaits::RecordsOf(Waiting& waiting) {
  if (waiting.file.valid()) return ReadRecords(waiting.file.get());
  const absl::StatusOr<std::shared_ptr<ContainerStore>> store =
      ContainerStore::Open(waiting.place);
  // The end is there, and is told who asks again.
  if (absl::IsResourceExhausted(store.status())) return store.status();
  if (store.ok()) {
    const absl::StatusOr<UniqueFd> file = (*store)->OpenLaunched(waiting.id);
    if (absl::IsResourceExhausted(file.status())) return file.status();
    if (file.ok()) {
      const absl::StatusOr<ContainerRecords> records = ReadRecords(file->get());
      // Or it was launched anew.
      if (records.ok() && records->launch.has_value() &&
          KeyOf(records->launch->supervisor) == KeyOf(waiting.supervisor)) {
        return records;
      }
    }
  }
  MutexLock lock(&mutex_);
  return waiting.last == nullptr ? ContainerRecords() : *waiting.last;
}

void ContainerWaits::Forget(const Waiting& waiting) {
  MutexLock lock(&mutex_);
  if (waiting.has_file) --files_;
  if (waiting.has_pidfd) --pidfds_;
  const auto range = waits_.equal_range(KeyOf(waiting.supervisor));
  for (auto it = range.first; it != range.second; ++it) {
    if (it->second != &waiting) continue;
    waits_.erase(it);
    return;
  }
}

}  // namespace posix_internal
}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/posix/container_waits.h"

#include <sys/stat.h>

#include <cstddef>
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
#include "external_containerizer/transport/linux/mutex_lock.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace posix_internal {
namespace {

// A second descriptor each, for so many only.
constexpr size_t kMostFiles = 1000;

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
  Waiting(ContainerWaits& waits, std::string the_id,
          std::shared_ptr<const StorePlace> the_place,
          ProcessIdentity the_supervisor, Cancellation the_cancellation,
          Reply<wire::Termination> the_reply)
      : owner(waits),
        id(std::move(the_id)),
        place(std::move(the_place)),
        supervisor(the_supervisor),
        cancellation(std::move(the_cancellation)),
        reply(std::move(the_reply)) {}
  ~Waiting() { owner.Forget(*this); }

  ContainerWaits& owner;
  const std::string id;
  const std::shared_ptr<const StorePlace> place;
  const ProcessIdentity supervisor;
  UniqueFd file;         // or none
  bool counted = false;  // in files_; under the owner's mutex, as `last`
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
  auto waiting =
      std::make_shared<Waiting>(*this, id, Shared(std::move(place)), supervisor,
                                context.cancellation, std::move(reply));
  bool keep = false;
  {
    MutexLock lock(&mutex_);
    waits_.emplace(KeyOf(supervisor), waiting.get());
    keep = files_ < kMostFiles;
    if (keep) ++files_;
    waiting->counted = keep;
  }
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
    if (!it->second->counted) {
      it->second->last = std::make_unique<ContainerRecords>(records);
    }
  }
}

void ContainerWaits::WaitFor(const std::shared_ptr<Waiting>& waiting,
                             const ProcessIdentity& process,
                             absl::AnyInvocable<void() &&> next) {
  absl::StatusOr<UniqueFd> found = FindProcess(process);
  if (!found.ok()) return std::move(waiting->reply)(found.status());
  if (!found->valid()) return std::move(next)();
  const ProcessWatcher::WatchId watch = watcher_.Watch(
      *std::move(found), absl::InfiniteDuration(),
      [waiting, next = std::move(next)](absl::Status ended) mutable {
        if (!ended.ok()) return std::move(waiting->reply)(std::move(ended));
        std::move(next)();
      });
  waiting->cancellation.OnCancelled([this, watch] { watcher_.Cancel(watch); });
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
            std::move(waiting->reply)(
                UnseenTermination(launch, ReadMemoryEvents(cgroups)));
          });
}

absl::StatusOr<ContainerRecords> ContainerWaits::RecordsOf(Waiting& waiting) {
  if (waiting.file.valid()) return ReadRecords(waiting.file.get());
  const absl::StatusOr<std::shared_ptr<ContainerStore>> store =
      ContainerStore::Open(*waiting.place);
  if (store.ok()) {
    const absl::StatusOr<UniqueFd> file = (*store)->OpenLaunched(waiting.id);
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

std::shared_ptr<const StorePlace> ContainerWaits::Shared(StorePlace place) {
  MutexLock lock(&mutex_);
  if (place_ == nullptr || !(*place_ == place)) {
    place_ = std::make_shared<const StorePlace>(std::move(place));
  }
  return place_;
}

void ContainerWaits::Forget(const Waiting& waiting) {
  MutexLock lock(&mutex_);
  if (waiting.counted) --files_;
  const auto range = waits_.equal_range(KeyOf(waiting.supervisor));
  for (auto it = range.first; it != range.second; ++it) {
    if (it->second != &waiting) continue;
    waits_.erase(it);
    return;
  }
}

}  // namespace posix_internal
}  // namespace external_containerizer

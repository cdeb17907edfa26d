// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The command wait, which answers when a container has ended. Any number of
// waits share one thread. A wait costs a descriptor and a few hundred bytes;
// the first thousand cost a second descriptor, for the container's file. The
// waits leave descriptors for launch, usage and destroy: a wait that gets none
// looks every half second or less often whether its container has ended.
//
//   ProcessWatcher watcher;
//   ContainerWaits waits(watcher);
//   waits.Wait(id, context, std::move(reply));

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_WAITS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_WAITS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/container_store.h"
#include "external_containerizer/containerizer/posix/process_watcher.h"
#include "external_containerizer/containerizer/program/program.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/transport/linux/process_identity.h"

namespace external_containerizer {
namespace posix_internal {

// Thread-safe.
class ContainerWaits {
 public:
  // `watcher` has callbacks into this object, so it must be destroyed first.
  explicit ContainerWaits(ProcessWatcher& watcher) : watcher_(watcher) {}
  ContainerWaits(const ContainerWaits&) = delete;
  ContainerWaits& operator=(const ContainerWaits&) = delete;

  // Answers with the Termination of the container, on the watcher's thread or
  // inside this call. NOT_FOUND, FAILED_PRECONDITION if the launch failed
  // half-way, RESOURCE_EXHAUSTED, and CANCELLED by context.cancellation.
  void Wait(const std::string& id, const Context& context,
            Reply<wire::Termination> reply);

  // Must be called before this process removes a container's file. `records` is
  // what the file says: the waits that do not have it open answer with that. If
  // another process removes the file, these waits answer that the container was
  // destroyed, without a status.
  void BeforeRemoval(const ContainerRecords& records);

 private:
  struct PendingWait;
  using Key = std::pair<pid_t, uint64_t>;  // the supervisor's pid and start

  static Key KeyOf(const ProcessIdentity& supervisor);

  // Calls `next` when the process has ended. Answers the wait itself if that
  // cannot be waited for.
  void WaitFor(const std::shared_ptr<PendingWait>& wait,
               const ProcessIdentity& process,
               absl::AnyInvocable<void() &&> next);
  void SupervisorHasEnded(const std::shared_ptr<PendingWait>& wait);
  absl::StatusOr<ContainerRecords> RecordsOf(PendingWait& wait);
  void Forget(const PendingWait& wait);

  ProcessWatcher& watcher_;
  absl::Mutex mutex_;
  std::multimap<Key, PendingWait*> waits_ ABSL_GUARDED_BY(mutex_);
  // The descriptors that the waits have open.
  size_t files_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t pidfds_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_WAITS_H_

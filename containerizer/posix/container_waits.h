// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// `wait`: answers when a container has ended. Any number of them share one
// thread, and each costs a descriptor and a few hundred bytes. Some of the
// process's descriptors are left for what ends containers; a wait for which
// there is none looks now and then whether its container has ended.

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
  // `watcher` holds what waits: it is to be destroyed before this.
  explicit ContainerWaits(ProcessWatcher& watcher) : watcher_(watcher) {}
  ContainerWaits(const ContainerWaits&) = delete;
  ContainerWaits& operator=(const ContainerWaits&) = delete;

  void Wait(const std::string& id, const Context& context,
            Reply<wire::Termination> reply);

  // To be called before a container's file is removed, with what was in it:
  // not all waits keep it open. (Those that another process removes beyond the
  // first thousand only learn that it was destroyed.)
  void BeforeRemoval(const ContainerRecords& records);

 private:
  struct Waiting;
  using Key = std::pair<pid_t, uint64_t>;  // of the supervisor

  static Key KeyOf(const ProcessIdentity& supervisor);

  // Calls `next` when the process has ended; answers itself what goes wrong.
  void WaitFor(const std::shared_ptr<Waiting>& waiting,
               const ProcessIdentity& process,
               absl::AnyInvocable<void() &&> next);
  void SupervisorHasEnded(const std::shared_ptr<Waiting>& waiting);
  absl::StatusOr<ContainerRecords> RecordsOf(Waiting& waiting);
  void Forget(const Waiting& waiting);

  ProcessWatcher& watcher_;
  absl::Mutex mutex_;
  std::multimap<Key, Waiting*> waits_ ABSL_GUARDED_BY(mutex_);
  size_t files_ ABSL_GUARDED_BY(mutex_) = 0;   // that waits keep open
  size_t pidfds_ ABSL_GUARDED_BY(mutex_) = 0;  // likewise
};

}  // namespace posix_internal
}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_CONTAINER_WAITS_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Runs containers through an external program.
//
//   ForkExecOptions transport;
//   transport.program = "/opt/bin/my_program";
//   transport.work_directory = "/var/lib/my_agent/transport";
//   auto containerizer =
//       Containerizer::Create(options, ForkExecTransport(transport));
//   (*containerizer)->Recover({}, [](absl::StatusOr<RecoverySummary> s) {…});
//   (*containerizer)->Launch(request, [](absl::Status s) {…});
//   (*containerizer)->Wait(id, [](absl::StatusOr<wire::Termination> t) {…});
//
// What a status means and what to do about it:
//
//   code                 meaning                            then
//   INVALID_ARGUMENT     the request itself is wrong        mend it
//   NOT_FOUND            no such container is held          forget it
//   ALREADY_EXISTS       Launch of an id that is held       use another id
//   FAILED_PRECONDITION  the program cannot be executed,    mend the set-up;
//                        or Recover() is missing, or the    Recover first;
//                        container has ended                Destroy it
//   INTERNAL             the program failed                 read its words
//   DATA_LOSS            the program answered garbage       mend the program
//   DEADLINE_EXCEEDED    the program hung and was ended     see its stderr
//   UNAVAILABLE          the program is away for now        retry
//   ABORTED              the container is being destroyed   wait for Destroy
//   RESOURCE_EXHAUSTED   too many calls or containers, or   retry later
//                        no descriptors or processes left
//   CANCELLED            the Containerizer is going away    do not retry
//
// After a Launch that failed, the program's `destroy` is run without being
// asked for. After a Destroy that failed, the container is still held, and
// Destroy may be called again.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_CONTAINERIZER_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_CONTAINERIZER_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/containerizer/options.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/mesos.pb.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// Callbacks: of calls with a result, and of calls without.
template <typename T>
using Done = absl::AnyInvocable<void(absl::StatusOr<T>) &&>;
using DoneStatus = absl::AnyInvocable<void(absl::Status) &&>;

// Thread-safe. Each callback is called exactly once, on the Containerizer's own
// thread, and never inside the call that took it. It may call any method. It
// must not block, and must not destroy the Containerizer.
class Containerizer {
 public:
  // Starts the thread and makes the transport on it. INVALID_ARGUMENT names an
  // option that makes no sense; other errors are the transport's.
  static absl::StatusOr<std::unique_ptr<Containerizer>> Create(
      Options options, TransportFactory transport);

  Containerizer(const Containerizer&) = delete;
  Containerizer& operator=(const Containerizer&) = delete;

  // Ends every outstanding call with CANCELLED, and leaves containers alone.
  // Commands that only ask (`wait`, `usage`, `containers`) are killed; a launch
  // or a destroy that is under way finishes by itself. Not from a callback.
  ~Containerizer();

  // Must be called once, before anything else. Other calls queue until it is
  // known which containers are held; `done` comes later, when the last orphan
  // is destroyed. `known` names the containers that the agent has written down,
  // and is empty for an agent without a past. After an error it may be called
  // again.
  void Recover(std::vector<KnownContainer> known, Done<RecoverySummary> done);

  // Returns OK when the program's `launch` has succeeded. Calls for the
  // container that come meanwhile queue behind it (MESOS-1251), except Destroy.
  void Launch(LaunchRequest request, DoneStatus done);

  // Updates of a container are sent one at a time. When calls come faster, only
  // the newest is sent, and the calls that it covers end as it does (D19).
  void Update(const ContainerId& id, Resources resources, DoneStatus done);

  // nullopt says that the program has no data now, which is normal while a
  // container starts or stops. Callers at the same time share one `usage`.
  void Usage(const ContainerId& id,
             Done<std::optional<wire::ResourceStatistics>> done);

  // Returns how the container ended, as often as it is asked, until Destroy. It
  // fails while the program cannot be started
  // (LifecycleOptions::max_waits_not_started).
  void Wait(const ContainerId& id, Done<wire::Termination> done);

  // Ends the container and forgets it. On a container that has ended this is
  // the acknowledgement. It returns how the container ended. Several calls
  // share one `destroy`.
  void Destroy(const ContainerId& id, Done<wire::Termination> done);

  // Returns the program's own list, with the containers of other agents.
  void Containers(Done<std::vector<ContainerId>> done);

  // Whether the caller is on the thread that runs callbacks.
  bool OnOwnThread() const;

 private:
  class Impl;
  explicit Containerizer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_CONTAINERIZER_H_

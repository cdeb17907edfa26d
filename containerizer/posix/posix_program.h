// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The program we ship: containers that are plain processes. A container is the
// process of executor_info.command (or, if there is none, task_info.command)
// and all that it starts, below a supervisor (supervisor.h). Its working
// directory is the sandbox; it writes to `stdout` and `stderr` there. It ends
// when that process does; what is left of it is then killed.
//
// All it knows is on disk (container_store.h), so any number of processes with
// a PosixProgram agree. A container that cannot be read, or not be removed, is
// not forgotten: recover says so on stderr and leaves it to destroy, which
// fails.
//
// "mem" is a hard limit (with swap), "cpus" a share of a busy machine and, with
// cpu_quota, a maximum. Both are enforced by cgroups, of version 1 and 2 as the
// machine has them (container_cgroups.h), below the cgroup that launch runs in.
// A memory limit below what is in use is not imposed on a container that runs:
// update then sets the soft limit only (cgroup_limits.h). Where there are no
// cgroups, or this user may make none, containers run all the same, and usage
// has no limits in it, unless limits are required.
//
// A task runs as Launch.user, else as the user of the command that is run, else
// as this process's own. An agent that is not to switch users sends none.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_PROGRAM_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_PROGRAM_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "external_containerizer/containerizer/posix/container_records.h"
#include "external_containerizer/containerizer/posix/container_store.h"
#include "external_containerizer/containerizer/posix/container_usage.h"
#include "external_containerizer/containerizer/posix/container_waits.h"
#include "external_containerizer/containerizer/posix/posix_options.h"
#include "external_containerizer/containerizer/posix/process_watcher.h"
#include "external_containerizer/containerizer/program/program.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"
#include "external_containerizer/transport/linux/thread_pool.h"

namespace external_containerizer {

// Thread-safe.
class PosixProgram : public Program {
 public:
  using Options = PosixOptions;

  PosixProgram();
  explicit PosixProgram(Options options);

  void Launch(const wire::Launch& request, const Context& context,
              Reply<void> reply) override;
  void Update(const wire::Update& request, const Context& context,
              Reply<void> reply) override;
  void Usage(const wire::Usage& request, const Context& context,
             Reply<std::optional<wire::ResourceStatistics>> reply) override;
  void Wait(const wire::Wait& request, const Context& context,
            Reply<wire::Termination> reply) override;
  void Destroy(const wire::Destroy& request, const Context& context,
               Reply<void> reply) override;
  void Containers(const Context& context,
                  Reply<wire::Containers> reply) override;
  void Recover(const Context& context, Reply<void> reply) override;

 private:
  // As many as are hosted at once (program.h).
  static constexpr size_t kMostDestroys = 33;

  absl::Status Remove(posix_internal::ContainerStore& store,
                      const std::string& id,
                      const posix_internal::ContainerRecords& records);
  absl::Status FinishDestroy(posix_internal::ContainerStore& store,
                             const std::string& id, const std::string& token);

  Options options_;
  posix_internal::ContainerUsage usage_;
  posix_internal::ContainerWaits waits_;
  ThreadPool aside_{"destroy", kMostDestroys};
  posix_internal::ProcessWatcher watcher_;  // destroyed first, with what waits
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_PROGRAM_H_

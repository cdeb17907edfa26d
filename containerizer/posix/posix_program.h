// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The program that we ship. Its containers are plain processes of this machine.
//
// A container is the process of executor_info.command, or of task_info.command
// if the executor has none, and all that this process starts, below a
// supervisor (supervisor.h). Its working directory is the sandbox, and it
// writes to `stdout` and `stderr` there. The container ends when its first
// process ends; the processes that are left are then killed.
//
// All state is on disk (container_store.h), so any number of processes with a
// PosixProgram agree. A container that cannot be read or removed is not
// forgotten: recover says so on stderr, and destroy fails.
//
// The resource mem is a hard limit, swap included. The resource cpus is a share
// of a busy machine, and a maximum with PosixOptions::cpu_quota. Cgroups of
// version 1 or 2 enforce both (container_cgroups.h). Update does not lower a
// memory limit below the memory that is in use (cgroup_limits.h). On a machine
// without cgroups, or for a user who may make none, containers run without
// limits, unless PosixOptions::require_limits is set.
//
// A task runs as Launch.user, or as the user of the command, or as this
// process's user, whichever is set first.
//
//   PosixProgram program;
//   return ProgramMain(argc, argv, program);

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

// Thread-safe. program.h says which handler answers when; launch and update
// answer inside the call, wait and destroy later on a thread of the program.
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
  // A host runs as many handlers at once (program.h).
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
  posix_internal::ProcessWatcher watcher_;  // destroyed first: has callbacks
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_POSIX_POSIX_PROGRAM_H_

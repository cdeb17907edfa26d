// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The program we ship: containers that are plain processes. A container is the
// process of executor_info.command (or, if there is none, task_info.command)
// and all that it starts, below a supervisor (supervisor.h). Its working
// directory is the sandbox; it writes to `stdout` and `stderr` there. It ends
// when that process does; what is left of it is then killed.
//
// All it knows is on disk (container_store.h), so any number of processes with
// a PosixProgram agree. Resources are reported, not enforced.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_POSIX_PROGRAM_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_POSIX_PROGRAM_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "external_containerizer/containerizer/program/program.h"
#include "external_containerizer/containerizer/wire/containerizer.pb.h"
#include "external_containerizer/containerizer/wire/statistics.pb.h"

namespace external_containerizer {

// Thread-safe.
class PosixProgram : public Program {
 public:
  struct Options {
    // Between SIGTERM and SIGKILL, when a container is destroyed.
    absl::Duration grace = absl::Seconds(3);
    // An executable whose main() calls SupervisorMain() when its first
    // argument is "supervise". Default: this one.
    std::string supervisor = "/proc/self/exe";
  };

  PosixProgram();
  explicit PosixProgram(Options options);
  ~PosixProgram() override;

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
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_PROGRAM_POSIX_PROGRAM_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// The disk of a standing agent: its sandboxes, and the records that must
// survive it. Every method but Run() blocks for as long as the disk does.
//
//   disk->Run(
//       run.executor, [&] { return disk->writer().RecordLaunched(run); },
//       [](absl::Status status) { … });

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_AGENT_DISK_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_AGENT_DISK_H_

#include <deque>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/containerizer/agent/files.h"
#include "external_containerizer/containerizer/container.h"
#include "external_containerizer/state/paths.h"
#include "external_containerizer/state/writer.h"
#include "external_containerizer/transport/linux/thread_pool.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

// Thread-safe, but calls about one executor must come one after another. Run()
// sees to that.
class AgentDisk {
 public:
  using Work = absl::AnyInvocable<absl::Status() &&>;
  using Done = absl::AnyInvocable<void(absl::Status) &&>;

  // `work_dir` is absolute and must exist.
  static absl::StatusOr<std::unique_ptr<AgentDisk>> Create(
      std::string work_dir, std::unique_ptr<state::Writer> writer);

  // Waits for all work that Run() was given.
  ~AgentDisk() = default;

  // Calls `work` on another thread, after all earlier work for that executor,
  // and then `done` with its result. Returns at once. If no thread is to be
  // had, both are called inside this call.
  void Run(const std::string& executor, Work work, Done done);

  // Records the agent, unless it is recorded already, and the framework that
  // its containers belong to.
  absl::Status RecordSelf(const std::string& agent,
                          const std::string& framework, bool agent_is_known);
  // Records that recovery is over in this boot of the machine.
  absl::Status RecordBoot();

  // Records the launch, makes the sandbox, and sets `request.sandbox`. The
  // sandbox belongs to the user of the request (SandboxOwner()). ALREADY_EXISTS
  // if there are files of an executor of that id.
  absl::Status RecordLaunch(const state::RunId& run, LaunchRequest& request);
  // Returns when RecordCompleted() was done for the run; InfinitePast() if it
  // was not.
  absl::Time WhenCompleted(const state::RunId& run) const;
  // Removes the executor's sandboxes, and then its records.
  absl::Status Forget(const state::RunId& run);

  state::Writer& writer() { return *writer_; }

 private:
  AgentDisk(std::string work_dir, UniqueFd directory,
            std::unique_ptr<state::Writer> writer);

  const std::string work_dir_;
  const UniqueFd directory_;
  const std::unique_ptr<state::Writer> writer_;
  // One thread each, so that the work of an executor keeps its order.
  std::deque<ThreadPool> threads_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_AGENT_DISK_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// What a standing agent does in its work_dir: sandboxes, and what must not be
// forgotten. Everything but Run() blocks for as long as the disk does.

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

// Thread-safe; calls about one executor in order, which Run() sees to.
class AgentDisk {
 public:
  using Work = absl::AnyInvocable<absl::Status() &&>;
  using Done = absl::AnyInvocable<void(absl::Status) &&>;

  // `work_dir` is absolute and exists.
  static absl::StatusOr<std::unique_ptr<AgentDisk>> Create(
      std::string work_dir, std::unique_ptr<state::Writer> writer);

  // Does all that it was given before.
  ~AgentDisk() = default;

  // On another thread does `work`, after all other work of that executor, and
  // calls `done` with what it returned. Returns at once; but where no thread is
  // to be had, all of that happens inside this call.
  void Run(const std::string& executor, Work work, Done done);

  // Who the agent is and what its containers belong to. An agent that is
  // recorded already stays as it is.
  absl::Status RecordSelf(const std::string& agent,
                          const std::string& framework, bool agent_is_known);
  // That recovery is over in this boot of the machine.
  absl::Status RecordBoot();

  // Records the launch, then makes the sandbox, which is the request's user's
  // from then on. FAILED_PRECONDITION if there is no such user, or if this
  // process may not become it. ALREADY_EXISTS if there are files of such an
  // executor.
  absl::Status RecordLaunch(const state::RunId& run, LaunchRequest& request,
                            bool program_is_posix);
  // When that the run is done with was recorded; InfinitePast() if it is not.
  absl::Time WhenCompleted(const state::RunId& run) const;
  // Removes the executor's sandboxes, then what is recorded of it.
  absl::Status Forget(const state::RunId& run);

  state::Writer& writer() { return *writer_; }

 private:
  AgentDisk(std::string work_dir, UniqueFd directory,
            std::unique_ptr<state::Writer> writer);

  const std::string work_dir_;
  const UniqueFd directory_;
  const std::unique_ptr<state::Writer> writer_;
  // Each of one thread, to keep the order.
  std::deque<ThreadPool> threads_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_AGENT_SERVE_AGENT_DISK_H_

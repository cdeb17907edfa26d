// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/unix_socket/leftovers.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/process/process.h"
#include "external_containerizer/transport/unique_fd.h"

namespace external_containerizer {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(5);

}  // namespace

ForkExecLeftovers::ForkExecLeftovers(EventLoop& loop,
                                     const std::string& work_directory)
    : killer_(&loop, kPatience) {
  const UniqueFd directory(
      open(work_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Opening it would make one.
  if (!directory.valid() || !Journal::IsIn(directory.get())) return;
  absl::StatusOr<std::unique_ptr<Journal>> journal =
      Journal::Open(directory.get(), work_directory);
  if (!journal.ok()) return;
  leftovers_ = (*journal)->TakeLeftovers();
  alive_ = leftovers_.size();
  if (alive_ == 0) return;
  journal_ = *std::move(journal);
  for (const Journal::Leftover& leftover : leftovers_) {
    const int pidfd = leftover.pidfd.get();
    siginfo_t info;
    const bool is_child =
        !ChildrenVanish() && waitid(P_PIDFD, static_cast<id_t>(pidfd), &info,
                                    WEXITED | WNOHANG | WNOWAIT) == 0;
    killer_.Kill(leftover.pid, pidfd, is_child,
                 [this, slot = leftover.slot, pidfd](bool ended) {
                   std::optional<int> wait_status;
                   Reap(pidfd, &wait_status);
                   // What is still there is left to the next transport.
                   if (ended) journal_->Remove(slot);
                   if (--alive_ > 0) return;
                   journal_.reset();
                   leftovers_.clear();
                   // Last: it may destroy us.
                   if (done_) std::exchange(done_, nullptr)();
                 });
  }
}

void ForkExecLeftovers::WhenDone(absl::AnyInvocable<void() &&> done) {
  if (alive_ == 0) return std::move(done)();
  done_ = std::move(done);
}

}  // namespace external_containerizer

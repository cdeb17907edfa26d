// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/leftovers.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <optional>
#include <utility>

#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/process.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {
namespace {

// A process can execute another program, so its leftovers may be its children.
bool IsChild(int pidfd) {
  siginfo_t info;
  return !ChildrenVanish() && waitid(P_PIDFD, static_cast<id_t>(pidfd), &info,
                                     WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace

Leftovers::Leftovers(EventLoop* loop, std::shared_ptr<Journal> journal,
                     absl::Duration patience)
    : killer_(loop, patience), journal_(std::move(journal)) {
  if (journal_ != nullptr) leftovers_ = journal_->TakeLeftovers();
  alive_ = leftovers_.size();
  if (alive_ == 0) journal_.reset();
  for (const Journal::Leftover& leftover : leftovers_) {
    const int pidfd = leftover.pidfd.get();
    killer_.Kill(leftover.pid, pidfd, IsChild(pidfd),
                 [this, slot = leftover.slot, pidfd](bool ended) {
                   std::optional<int> wait_status;
                   Reap(pidfd, &wait_status);
                   if (ended) journal_->Remove(slot);
                   if (--alive_ > 0) return;
                   journal_.reset();
                   // Last: the callback may destroy this object.
                   if (done_) std::exchange(done_, nullptr)();
                 });
  }
}

void Leftovers::WhenDone(absl::AnyInvocable<void() &&> done) {
  if (alive_ == 0) return std::move(done)();
  done_ = std::move(done);
}

std::shared_ptr<Journal> JournalOfTheDead(const std::string& work_directory) {
  const UniqueFd directory(
      open(work_directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Open() would make a journal.
  if (!directory.valid() || !Journal::IsIn(directory.get())) return nullptr;
  auto journal = Journal::Open(directory.get(), work_directory);
  return journal.ok() ? *std::move(journal) : nullptr;
}

}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/unix_socket/leftovers.h"

#include <fcntl.h>

#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "external_containerizer/transport/leftovers.h"
#include "external_containerizer/transport/linux/unique_fd.h"

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
  const bool some = EndLeftovers(**journal, killer_, [this] {
    journal_.reset();
    // Last: it may destroy us.
    if (done_) std::exchange(done_, nullptr)();
  });
  if (some) journal_ = *std::move(journal);
}

void ForkExecLeftovers::WhenDone(absl::AnyInvocable<void() &&> done) {
  if (journal_ == nullptr) return std::move(done)();
  done_ = std::move(done);
}

}  // namespace external_containerizer

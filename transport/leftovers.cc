// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/leftovers.h"

#include <sys/wait.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "external_containerizer/transport/linux/pidfd.h"
#include "external_containerizer/transport/linux/process.h"

namespace external_containerizer {
namespace {

struct Ending {
  std::vector<Journal::Leftover> leftovers;  // Open until the last has ended.
  size_t alive;
  absl::AnyInvocable<void() &&> done;
};

// It may be: a process can go on as another program.
bool IsChild(int pidfd) {
  siginfo_t info;
  return !ChildrenVanish() && waitid(P_PIDFD, static_cast<id_t>(pidfd), &info,
                                     WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace

bool EndLeftovers(Journal& journal, SessionKiller& killer,
                  absl::AnyInvocable<void() &&> done) {
  auto ending = std::make_shared<Ending>();
  ending->leftovers = journal.TakeLeftovers();
  ending->alive = ending->leftovers.size();
  ending->done = std::move(done);
  for (const Journal::Leftover& leftover : ending->leftovers) {
    const int pidfd = leftover.pidfd.get();
    killer.Kill(leftover.pid, pidfd, IsChild(pidfd),
                [ending, &journal, slot = leftover.slot, pidfd](bool ended) {
                  std::optional<int> wait_status;
                  Reap(pidfd, &wait_status);
                  if (ended) journal.Remove(slot);
                  if (--ending->alive == 0) std::move(ending->done)();
                });
  }
  return ending->alive > 0;
}

}  // namespace external_containerizer

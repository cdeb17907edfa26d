// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/transport/reaper.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/base/const_init.h"
#include "absl/synchronization/mutex.h"
#include "external_containerizer/transport/linux/mutex_lock.h"
#include "external_containerizer/transport/linux/pidfd.h"

namespace external_containerizer {
namespace {

// Children that ran on when their loop was destroyed.
ABSL_CONST_INIT absl::Mutex mutex(absl::kConstInit);
std::vector<UniqueFd>& Orphans() {
  static auto* const orphans = new std::vector<UniqueFd>;
  return *orphans;
}

bool IsReaped(const UniqueFd& pidfd) {
  std::optional<int> ignored;
  return Reap(pidfd.get(), &ignored) != ProcessState::kRunning;
}

struct Child {
  ~Child() {
    if (IsReaped(pidfd)) return;
    MutexLock lock(&mutex);
    Orphans().push_back(std::move(pidfd));
  }
  UniqueFd pidfd;
};

}  // namespace

void ReapLater(EventLoop& loop, UniqueFd pidfd) {
  {
    MutexLock lock(&mutex);
    auto& orphans = Orphans();
    orphans.erase(std::remove_if(orphans.begin(), orphans.end(), IsReaped),
                  orphans.end());
  }
  const int fd = pidfd.get();
  auto child = std::make_unique<Child>();
  child->pidfd = std::move(pidfd);
  // The child is reaped with the callback's end, also if it cannot be watched.
  static_cast<void>(loop.Watch(
      fd, EPOLLIN,
      [&loop, fd, child = std::move(child)](uint32_t) { loop.Unwatch(fd); }));
}

}  // namespace external_containerizer

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Reaps children whose ends nobody waits for, so that they do not stay zombies.
//
//   SendSignal(child.pidfd.get(), SIGKILL);
//   ReapLater(loop, std::move(child.pidfd));

#ifndef EXTERNAL_CONTAINERIZER_TRANSPORT_REAPER_H_
#define EXTERNAL_CONTAINERIZER_TRANSPORT_REAPER_H_

#include "external_containerizer/transport/event_loop.h"
#include "external_containerizer/transport/linux/unique_fd.h"

namespace external_containerizer {

// Reaps the child when it ends, from the loop. If the loop is destroyed before,
// the child is reaped then if it has ended, and otherwise by a later call of
// this function. Never blocks. Only on the loop's thread.
void ReapLater(EventLoop& loop, UniqueFd pidfd);

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_TRANSPORT_REAPER_H_

// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/containerizer/command_slots.h"

namespace external_containerizer {

CommandSlots::Queue CommandSlots::QueueOf(Command command) {
  switch (command) {
    case Command::kDestroy:
      return kDestroy;
    case Command::kContainers:
    case Command::kRecover:
      return kList;
    case Command::kWait:
      return kWait;
    default:
      return kOrdinary;
  }
}

std::optional<CommandSlots::Place> CommandSlots::FreePlace(Queue queue) const {
  if (queue == kWait) {
    if (taken_[kForWait] < max_waits_) return kForWait;
    return std::nullopt;
  }
  if (taken_[kShared] < max_commands_) return kShared;
  if (queue == kDestroy && taken_[kForDestroy] == 0) return kForDestroy;
  if (queue == kList && taken_[kForList] == 0) return kForList;
  return std::nullopt;
}

void CommandSlots::Enqueue(Ticket ticket, Command command) {
  queues_[QueueOf(command)].insert(ticket);
}

std::optional<CommandSlots::Ticket> CommandSlots::Next() {
  std::optional<Queue> best;
  for (int i = 0; i < kQueues; ++i) {
    const Queue queue = static_cast<Queue>(i);
    if (queues_[queue].empty() || !FreePlace(queue)) continue;
    if (!best || *queues_[queue].begin() < *queues_[*best].begin()) {
      best = queue;
    }
  }
  if (!best) return std::nullopt;
  const Place place = *FreePlace(*best);
  const Ticket ticket = *queues_[*best].begin();
  queues_[*best].erase(queues_[*best].begin());
  ++taken_[place];
  running_.emplace(ticket, place);
  return ticket;
}

void CommandSlots::Release(Ticket ticket) {
  const auto it = running_.find(ticket);
  if (it == running_.end()) return;
  --taken_[it->second];
  running_.erase(it);
}

bool CommandSlots::Withdraw(Ticket ticket) {
  for (auto& queue : queues_) {
    if (queue.erase(ticket) > 0) return true;
  }
  return false;
}

}  // namespace external_containerizer

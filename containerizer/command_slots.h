// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0
//
// Decides which commands may run now: at most N at once, first come first
// served. When all places are taken, `destroy` has one place more, and
// `containers` and `recover` share another one, so that slow launches block
// neither. `wait` needs no place, and has a bound of its own. Pure and
// copyable.
//
//   slots.Enqueue(7, Command::kUsage);
//   while (std::optional<CommandSlots::Ticket> next = slots.Next()) Run(*next);
//   ...
//   slots.Release(7);  // It is over, and another one may run.

#ifndef EXTERNAL_CONTAINERIZER_CONTAINERIZER_COMMAND_SLOTS_H_
#define EXTERNAL_CONTAINERIZER_CONTAINERIZER_COMMAND_SLOTS_H_

#include <cstddef>
#include <cstdint>
#include <optional>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "external_containerizer/transport/transport.h"

namespace external_containerizer {

class CommandSlots {
 public:
  using Ticket = uint64_t;  // Smaller is earlier.

  CommandSlots(size_t max_commands, size_t max_waits)
      : max_commands_(max_commands), max_waits_(max_waits) {}

  // Asks for a place for `ticket`, which is neither queued nor running.
  void Enqueue(Ticket ticket, Command command);

  // The next command that may run, if any. From now on it is running.
  std::optional<Ticket> Next();

  // Gives the place back. No effect on a ticket that does not run.
  void Release(Ticket ticket);

  // Takes a ticket out of the queue; false if it is not in it.
  bool Withdraw(Ticket ticket);

  bool IsRunning(Ticket ticket) const { return running_.contains(ticket); }

 private:
  friend class LifecycleFingerprint;

  enum Queue { kOrdinary, kDestroy, kList, kWait, kQueues };
  enum Place { kShared, kForDestroy, kForList, kForWait, kPlaces };

  static Queue QueueOf(Command command);
  std::optional<Place> FreePlace(Queue queue) const;

  size_t max_commands_;
  size_t max_waits_;
  absl::btree_set<Ticket> queues_[kQueues];
  size_t taken_[kPlaces] = {};
  absl::flat_hash_map<Ticket, Place> running_;
};

}  // namespace external_containerizer

#endif  // EXTERNAL_CONTAINERIZER_CONTAINERIZER_COMMAND_SLOTS_H_

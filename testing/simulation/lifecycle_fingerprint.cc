// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

#include "external_containerizer/testing/simulation/lifecycle_fingerprint.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"

namespace external_containerizer {
namespace {

template <typename Map>
std::vector<typename Map::key_type> SortedKeys(const Map& map) {
  std::vector<typename Map::key_type> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  return keys;
}

// Ids only grow, so only their order among the ids in use can matter. 0 is
// none.
size_t Rank(const std::vector<uint64_t>& in_use, uint64_t id) {
  if (id == 0) return 0;
  const auto it = std::lower_bound(in_use.begin(), in_use.end(), id);
  return it == in_use.end() || *it != id
             ? 0
             : static_cast<size_t>(it - in_use.begin()) + 1;
}

}  // namespace

std::string LifecycleFingerprint::Of(const Lifecycle& of, const Names& names) {
  std::vector<uint64_t> ids = SortedKeys(of.ops_);
  for (const auto& [timer, its] : of.timers_) ids.push_back(timer);
  for (const auto& [ended, id] : of.ended_) ids.push_back(ended);
  std::sort(ids.begin(), ids.end());
  const std::vector<uint64_t> calls = SortedKeys(of.calls_);
  std::string text;
  const auto put = [&](const auto&... values) {
    absl::StrAppend(&text, values..., " ");
  };
  const auto name = [&](const ContainerId& id) -> const ContainerId& {
    const auto it = names.find(id);
    return it == names.end() ? id : it->second;
  };
  // 0: between two tries. Else the queue, or where it runs.
  const auto place = [&](OpId id) {
    const CommandSlots& slots = of.slots_;
    if (const auto it = slots.running_.find(id); it != slots.running_.end()) {
      return CommandSlots::kQueues + 1 + it->second;
    }
    for (int i = 0; i < CommandSlots::kQueues; ++i) {
      if (slots.queues_[i].contains(id)) return i + 1;
    }
    return 0;
  };
  const auto put_calls = [&](const std::vector<CallId>& some) {
    for (const CallId call : some) put(Rank(calls, call));
    put("|");
  };
  const auto put_names = [&](const auto& some) {
    for (const ContainerId& id : some) put(name(id));
    put("|");
  };

  put(static_cast<int>(of.phase_), " ", Rank(calls, of.recover_call_), " ",
      of.orphans_begun_, " ", of.slots_.running_.size());
  put_names(of.orphans_);
  put_names(of.unlisted_);
  for (const KnownContainer& known : of.known_) {
    put(name(known.id), static_cast<int>(known.state));
  }
  for (const auto* some : {&of.summary_.recovered, &of.summary_.lost,
                           &of.summary_.destroyed, &of.summary_.surviving}) {
    put_names(*some);
  }
  for (const ContainerCall& call : of.held_) {
    put(Rank(calls, call.call), CommandName(call.command),
        name(call.container));
  }

  std::vector<std::pair<ContainerId, const Lifecycle::Container*>> containers;
  for (const auto& [id, container] : of.containers_) {
    containers.emplace_back(name(id), &container);
  }
  std::sort(containers.begin(), containers.end());
  for (const auto& [id, held] : containers) {
    const Lifecycle::Container& c = *held;
    put("\n", id, ContainerStateName(c.state), c.destroyed,
        c.orphan, c.troubled);
    put(c.wait_attempts, " ", c.waits_not_started, " ", c.destroy_attempts, " ",
        Rank(calls, c.launch_call));
    for (const OpId op : {c.launch, c.update, c.usage, c.wait, c.destroy}) {
      put(Rank(ids, op));
    }
    for (const uint64_t timer :
         {c.destroy_timer, c.wait_timer, c.unknown_timer, c.ended}) {
      put(Rank(ids, timer));
    }
    for (const auto& [command, call] : c.queued) {
      put(CommandName(command), Rank(calls, call));
    }
    put_calls(c.updates);
    put_calls(c.waiters);
    put_calls(c.destroyers);
    if (c.termination != nullptr) {
      put(c.termination->status(), c.termination->message());
    }
    put(c.cause.raw_code(), c.cause.message(), c.destroy_error.raw_code(),
        c.destroy_error.message());
  }
  for (const OpId id : SortedKeys(of.ops_)) {
    const Lifecycle::Op& op = of.ops_.at(id);
    put("\n", CommandName(op.command), static_cast<int>(op.purpose),
        name(op.container), Rank(calls, op.request), "+", Rank(ids, op.retry),
        "+", op.attempts, op.may_be_done, place(id));
    put_calls(op.callers);
  }
  for (const TimerId id : SortedKeys(of.timers_)) {
    const Lifecycle::Timer& timer = of.timers_.at(id);
    put("\n", Rank(ids, id), " ", static_cast<int>(timer.kind),
        name(timer.container), Rank(ids, timer.op));
  }
  for (const CallId call : calls) put(name(of.calls_.at(call)));
  return text;
}

}  // namespace external_containerizer
